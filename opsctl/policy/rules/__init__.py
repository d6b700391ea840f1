"""Every rule over a project, family by family; a rule is a plain function with its reason."""

from opsctl.policy.model import Rule
from opsctl.policy.project import CheckedProject
from opsctl.policy.rules import (
    brokers,
    dependencies,
    documents,
    experiments,
    images,
    migration_risks,
    migrations,
    parameters,
    privileges,
    schema,
    secrets,
    services,
    settings,
    test_caps,
)

RULES: tuple[Rule[CheckedProject], ...] = (
    *schema.RULES,
    *migrations.RULES,
    *migration_risks.RULES,
    *services.RULES,
    *privileges.RULES,
    *images.RULES,
    *test_caps.RULES,
    *secrets.RULES,
    *documents.RULES,
    *dependencies.RULES,
    *parameters.RULES,
    *experiments.RULES,
    *brokers.RULES,
    *settings.RULES,
)
