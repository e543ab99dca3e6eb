"""Rules tried on what is stored, or on a file, before they page anybody: the same engine over history."""
