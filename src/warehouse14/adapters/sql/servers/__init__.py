"""PostgreSQL and MariaDB: servers that several machines may share."""
