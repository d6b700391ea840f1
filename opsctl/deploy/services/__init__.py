"""Actions on the containers of single services: restart them, run a command in one."""
