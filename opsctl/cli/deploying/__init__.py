"""What the deploy commands share: options, the lock, migrations, notifications, running a plan."""
