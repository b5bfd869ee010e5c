BEGIN TRANSACTION;
CREATE TABLE accounts (
	name VARCHAR(200) NOT NULL, 
	administrator BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	password_hash VARCHAR(255), 
	disabled BOOLEAN NOT NULL, password_once BOOLEAN DEFAULT 0 NOT NULL, vouched_at DATETIME, email VARCHAR(200), provider_groups JSON, kept_out JSON, seen JSON, signed_in_at DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "accounts" VALUES('admin',1,'2026-11-21 06:06:05.457537','scrypt$16384$8$5$qNbRudFUKFKrbCJlPYeqPg==$QnAglv9IiHEbHa4pGO+tUQ+m/F/x5O4+8B7Y81YJ6xc=',0,1,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "accounts" VALUES('ada',0,'2026-11-21 06:06:05.951572','scrypt$16384$8$5$juHRH4ijceuWYEAm7z1bvQ==$J/zeM3Z4eOKkek1zDpIO0aL071gfDPjrkcCJfFrQe+w=',0,0,NULL,NULL,NULL,NULL,NULL,'2026-11-21 06:06:06.743536');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE attempts (
	"key" VARCHAR(255) NOT NULL, 
	count INTEGER NOT NULL, 
	last_at DATETIME NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "attempts" VALUES('address:127.0.0.1',1,'2026-11-21 06:06:06.758282');
INSERT INTO "attempts" VALUES('account:ada@127.0.0.1',1,'2026-11-21 06:06:06.758282');
INSERT INTO "attempts" VALUES('account:ada',1,'2026-11-21 06:06:06.758282');
CREATE TABLE files (
	project VARCHAR(200) NOT NULL, 
	filename VARCHAR(240) NOT NULL, 
	version VARCHAR(240) NOT NULL, 
	filetype VARCHAR(16) NOT NULL, 
	size BIGINT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	blake2_256 VARCHAR(64) NOT NULL, 
	requires_python TEXT, 
	summary TEXT NOT NULL, 
	metadata_sha256 VARCHAR(64), 
	uploaded_at DATETIME NOT NULL, 
	uploaded_by VARCHAR(200) NOT NULL, 
	yanked_at DATETIME, 
	yanked_by VARCHAR(200), 
	yank_reason TEXT, 
	deleted_at DATETIME, 
	PRIMARY KEY (project, filename), 
	FOREIGN KEY(project) REFERENCES projects (name)
);
INSERT INTO "files" VALUES('demo','demo-1.0-py3-none-any.whl','1.0','bdist_wheel',859,'0b236bc86a152a4fce36d93f009b1a8e2a8c2384cd01a70765c48c7ebb2c810b','601e8e652410879c111d8e6459f6fe8f2c8bb5032c74e6672d2f0c0f78484f49',NULL,'A distribution for tests','789029669e21587de4718753521112dd2a71ac9c72996c30aae91055ba3ddce8','2026-11-21 06:06:06.338879','ada',NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES('demo','demo-1.0.tar.gz','1.0','sdist',217,'3e072e807b485c87636e7dd81ac844874ca58c3eced1f4441e66a6d391e86a94','4c51a33741dd15c89a864c634205f151914983bda26bc6f3e3868c35e996d91b',NULL,'A distribution for tests','789029669e21587de4718753521112dd2a71ac9c72996c30aae91055ba3ddce8','2026-11-21 06:06:06.379516','ada',NULL,NULL,NULL,NULL);
CREATE TABLE grants (
	project VARCHAR(200) NOT NULL, 
	principal VARCHAR(255) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	PRIMARY KEY (project, principal), 
	FOREIGN KEY(project) REFERENCES projects (name)
);
INSERT INTO "grants" VALUES('demo','account:ada','admin');
INSERT INTO "grants" VALUES('demo','group:crew','member');
CREATE TABLE group_members (
	"group" VARCHAR(100) NOT NULL, 
	account VARCHAR(200) NOT NULL, 
	admin BOOLEAN NOT NULL, 
	PRIMARY KEY ("group", account), 
	FOREIGN KEY("group") REFERENCES groups (name), 
	FOREIGN KEY(account) REFERENCES accounts (name)
);
INSERT INTO "group_members" VALUES('crew','ada',1);
INSERT INTO "group_members" VALUES('crew','admin',0);
CREATE TABLE groups (
	name VARCHAR(100) NOT NULL, 
	created_at DATETIME NOT NULL, 
	created_by VARCHAR(200) NOT NULL, 
	deleted_at DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "groups" VALUES('crew','2026-11-21 15:41:35.742429','operator',NULL);
CREATE TABLE journal (
	serial BIGINT NOT NULL, 
	at DATETIME NOT NULL, 
	actor VARCHAR(200) NOT NULL, 
	origin VARCHAR(200) NOT NULL, 
	action VARCHAR(64) NOT NULL, 
	project VARCHAR(200), 
	account VARCHAR(200), 
	token VARCHAR(32), 
	detail JSON NOT NULL, "group" VARCHAR(100), by_token VARCHAR(32), 
	PRIMARY KEY (serial)
);
INSERT INTO "journal" VALUES(1,'2026-11-21 06:06:05.941775','operator','command line','account.add',NULL,'admin',NULL,'{}',NULL,NULL);
INSERT INTO "journal" VALUES(2,'2026-11-21 06:06:06.318640','operator','embedded','account.add',NULL,'ada',NULL,'{}',NULL,NULL);
INSERT INTO "journal" VALUES(3,'2026-11-21 06:06:06.369656','ada','embedded','file.upload','demo',NULL,NULL,'{"files": "demo-1.0-py3-none-any.whl", "project": "created"}',NULL,NULL);
INSERT INTO "journal" VALUES(4,'2026-11-21 06:06:06.401435','ada','embedded','file.upload','demo',NULL,NULL,'{"files": "demo-1.0.tar.gz"}',NULL,NULL);
INSERT INTO "journal" VALUES(5,'2026-11-21 06:06:06.411108','ada','embedded','token.mint',NULL,'ada','oI5e8YfaXR','{}',NULL,NULL);
INSERT INTO "journal" VALUES(6,'2026-11-21 06:06:06.746879','ada','127.0.0.1','session.start',NULL,'ada',NULL,'{}',NULL,NULL);
INSERT INTO "journal" VALUES(7,'2026-11-21 15:41:36.010153','operator','embedded','group.create',NULL,'ada',NULL,'{}','crew',NULL);
INSERT INTO "journal" VALUES(8,'2026-11-21 15:41:36.020701','operator','embedded','group.add',NULL,'admin',NULL,'{"role": "member"}','crew',NULL);
INSERT INTO "journal" VALUES(9,'2026-11-21 15:41:36.055497','operator','embedded','project.grant','demo',NULL,NULL,'{"principal": "group:crew", "role": "member"}','crew',NULL);
INSERT INTO "journal" VALUES(10,'2026-11-21 15:41:36.070363','operator','embedded','account.join',NULL,'ada',NULL,'{"provider": "corp", "issuer": "https://login.example.org", "subject": "7"}',NULL,NULL);
CREATE TABLE logins (
	issuer VARCHAR(255) NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	provider VARCHAR(64) NOT NULL, 
	account VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (issuer, subject), 
	FOREIGN KEY(account) REFERENCES accounts (name)
);
INSERT INTO "logins" VALUES('https://login.example.org','7','corp','ada','2026-11-21 15:41:36.066278');
CREATE TABLE projects (
	name VARCHAR(200) NOT NULL, 
	display_name VARCHAR(200) NOT NULL, 
	public BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	created_by VARCHAR(200) NOT NULL, 
	serial BIGINT NOT NULL, 
	deleted_at DATETIME, latest_version VARCHAR(240), latest_summary TEXT, latest_at DATETIME, searched TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "projects" VALUES('demo','demo',0,'2026-11-21 06:06:06.364669','ada',9,NULL,'1.0','A distribution for tests','2026-11-21 06:06:06.338879','demo demo a distribution for tests');
CREATE TABLE serials (
	id INTEGER NOT NULL, 
	value BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "serials" VALUES(1,10);
CREATE TABLE sessions (
	id VARCHAR(64) NOT NULL, 
	account VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	origin VARCHAR(200) NOT NULL, 
	agent VARCHAR(200) NOT NULL, provider VARCHAR(64), issuer VARCHAR(255), subject VARCHAR(255), sid VARCHAR(255), id_token TEXT, looks JSON, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account) REFERENCES accounts (name)
);
INSERT INTO "sessions" VALUES('85d76f8343565f93cf65ff1e150fa95af42dc5d27bf371df68cebb5ed3c8a8e2','ada','2026-11-21 06:06:06.743536','2026-11-21 06:06:06.743536','127.0.0.1','Lynx',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE "tokens" (
	id VARCHAR(32) NOT NULL, 
	account VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	scope VARCHAR(64) NOT NULL, 
	project VARCHAR(200), 
	secret_sha256 VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME, 
	last_used_at DATETIME, 
	revoked_at DATETIME, 
	prefix VARCHAR(200), 
	days INTEGER, 
	addresses JSON, 
	last_used_from VARCHAR(200) DEFAULT '' NOT NULL, 
	last_used_by VARCHAR(200) DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account) REFERENCES accounts (name)
);
INSERT INTO "tokens" VALUES('oI5e8YfaXR','ada','laptop','read',NULL,'5452a180e4c059ba7b89f9fa56da7f4ff92f18a999c8aadbfec02f3883e373a7','2026-11-21 06:06:06.407857','2027-11-21 06:06:06.407865',NULL,NULL,NULL,365,NULL,'','');
CREATE INDEX grants_by_principal ON grants (principal, project);
CREATE INDEX journal_by_project ON journal (project, serial);
CREATE INDEX sessions_by_account ON sessions (account, seen_at);
CREATE INDEX attempts_by_time ON attempts (last_at);
CREATE INDEX projects_by_newest ON projects (latest_at, name);
CREATE INDEX logins_by_account ON logins (account);
CREATE INDEX sessions_by_subject ON sessions (subject);
CREATE INDEX sessions_by_sid ON sessions (sid);
CREATE INDEX group_members_by_account ON group_members (account, "group");
CREATE INDEX journal_by_group ON journal ("group", serial);
CREATE INDEX journal_by_actor ON journal (actor, serial);
CREATE INDEX journal_by_account ON journal (account, serial);
CREATE INDEX journal_by_token ON journal (token, serial);
CREATE INDEX journal_by_token_used ON journal (by_token, serial);
CREATE INDEX journal_by_action ON journal (action, serial);
CREATE INDEX journal_by_time ON journal (at, serial);
CREATE INDEX tokens_by_account ON tokens (account, created_at);
COMMIT;
