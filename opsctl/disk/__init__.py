"""Checks how full the disks are, forecasts when they fill up, and deletes old raw logs."""
