from tests.scenarios.deploy.deployed_project import STORE, DeployedProject

CALM = {**STORE, "volumes": []}


def test_a_paused_service_is_replaced_when_asked_for_and_data_is_guarded(
    project: DeployedProject,
) -> None:
    project.write_compose_file({"calm": CALM, "other": CALM, "store": STORE})
    project.run_up()
    before = project.container_ids()
    calm, other, store = (project.container_name(name) for name in ("calm", "other", "store"))
    project.engine.run("pause", calm)

    status = project.opsctl("status", "--no-stats")
    resumed = project.opsctl("up")
    project.engine.run("pause", calm)
    plan = project.opsctl("up", "-n", "--force-recreate", "calm", "--json").json
    done = project.run_up("--force-recreate", "calm", "--json")
    project.variables["OPSCTL_DEPLOY_DATABASE_IMAGES"] = "busybox"
    refused = project.opsctl("up", "--force-recreate", "store")
    unknown = project.opsctl("up", "--force-recreate", "nope")

    after = project.container_ids()
    shown = status.out + status.err
    assert "opsctl restart -e dev calm" in shown, shown
    assert "--force-recreate calm" in shown, shown
    assert resumed.exit_code == 0, resumed.err
    rows = {row["service"]: (row["change"], row["reason"]) for row in plan["services"]}
    assert rows["calm"] == ("recreate", "asked for")
    assert rows["other"][0] == rows["store"][0] == "keep"
    assert done.json["outcome"] == "done"
    assert after[calm] != before[calm]
    assert (after[other], after[store]) == (before[other], before[store])
    assert (refused.exit_code, "store keeps data" in refused.err) == (5, True)
    assert unknown.exit_code == 2
