"""Make untrusted text safe to print, and hide credentials in it."""
