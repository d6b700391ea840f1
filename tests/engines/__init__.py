"""Real servers for tests, as pytest fixtures: started when first asked for, and never left behind.

A missing engine skips the test by name; where OPSCTL_REQUIRE (a comma list) names it, the test
fails. Asking for a fixture marks the test `engine(<name>)`; the marker alone also checks.

fixture            type                           engine     life, and what else to know
postgres           databases.Database             postgres   test: a fresh database
postgres_server    postgres.PostgresServer        postgres   worker: do not stop it
own_postgres       postgres.PostgresServer        postgres   test: .freeze .thaw .kill .stop .start
pgbouncer          databases.Database             pgbouncer  test: `postgres` through its pooler
any_postgres       databases.Database             -          test: once on each version there is
postgres_bin       Path                           postgres   worker: folder of psql, pg_dump
redis_url          str                            redis      test: an emptied database
redis_server       redis.RedisServer              redis      worker: neither configure nor stop it
own_redis          redis.OwnRedis                 redis      test: own_redis(password=, config=[])
timescale          databases.Database             timescale  test: fresh, with the extension
timescale_server   databases.Database             timescale  worker: its administrator's
docker_engine      docker.DockerEngine            docker     worker: .host .run .attempt .start
compose_project    compose.ComposeProject         docker     test: .name .directory .write .compose
own_engine         own_engine.OwnEngine           docker     worker: private; prune it
brittle_engine     own_engine.OwnEngine           docker     test: .stop_dead .start_up
cramped_engine     own_engine.OwnEngine           docker     test: 128 MiB of disk in all
ssh_server         ssh.SshServer                  root       worker: .address .client(folder)
root_machine       None                           root       worker
small_disk         disks.SmallDisk                root       test: small_disk(16) mounts 16 MiB
slow_network       network.LayLine                root       test: slow_network(delay_s=, loss=)
netem_line         network.LayLine                netem      test: the same by `tc netem` alone
dead_address       addresses.Address              -          test: refuses
black_hole         addresses.Address              -          test: accepts, never answers
full_backlog       addresses.Address              -          test: connect itself hangs
server_folders     server_folders.ServerFolders  -          worker: server_folders("kind")

Images for compose files: docker.BUSYBOX, docker.REDIS, docker.TIMESCALE. Nothing is ever pulled.
Wait with tests.waiting.wait_for(condition, deadline_s, what).
"""
