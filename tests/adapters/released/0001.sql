BEGIN TRANSACTION;
CREATE TABLE accounts (
	name VARCHAR(200) NOT NULL, 
	administrator BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	password_hash VARCHAR(255), 
	disabled BOOLEAN NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "accounts" VALUES('admin',1,'2026-11-21 01:32:47.687335','scrypt$16384$8$5$/AExNiEP8LloMD+/U9VTEg==$ogaK3U/s3WD6MHyp2RzJEA05Ld8Te/bOB1HkYzDuj64=',0);
INSERT INTO "accounts" VALUES('ada',0,'2026-11-21 01:32:48.171502',NULL,0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
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
INSERT INTO "files" VALUES('demo','demo-1.0-py3-none-any.whl','1.0','bdist_wheel',880,'5d1f74879e63adcc8bc37c5e62aa65ea2b4c7d63e52202293d980ee130fb2236','fd50509806d4ef12acce0ff274bc0fee84452a6223dcb2309b6d3b1663f16471','>=3.9','A distribution for tests','f5a8603a7a823ea032eea4f38d5a071fdf1bcf7c66da759d55e2bf95e2d853c4','2026-11-21 01:32:48.200600','ada',NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES('demo','demo-1.0.tar.gz','1.0','sdist',217,'3e072e807b485c87636e7dd81ac844874ca58c3eced1f4441e66a6d391e86a94','4c51a33741dd15c89a864c634205f151914983bda26bc6f3e3868c35e996d91b',NULL,'A distribution for tests','789029669e21587de4718753521112dd2a71ac9c72996c30aae91055ba3ddce8','2026-11-21 01:32:48.218768','ada','2026-11-21 01:32:48.227490','ada','it is "broken"
—badly',NULL);
CREATE TABLE grants (
	project VARCHAR(200) NOT NULL, 
	principal VARCHAR(255) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	PRIMARY KEY (project, principal), 
	FOREIGN KEY(project) REFERENCES projects (name)
);
INSERT INTO "grants" VALUES('demo','account:ada','admin');
CREATE TABLE journal (
	serial BIGINT NOT NULL, 
	at DATETIME NOT NULL, 
	actor VARCHAR(200) NOT NULL, 
	origin VARCHAR(200) NOT NULL, 
	action VARCHAR(64) NOT NULL, 
	project VARCHAR(200), 
	account VARCHAR(200), 
	token VARCHAR(32), 
	detail JSON NOT NULL, 
	PRIMARY KEY (serial)
);
INSERT INTO "journal" VALUES(1,'2026-11-21 01:32:48.160783','operator','embedded','account.add',NULL,'admin',NULL,'{}');
INSERT INTO "journal" VALUES(2,'2026-11-21 01:32:48.172780','operator','embedded','account.add',NULL,'ada',NULL,'{}');
INSERT INTO "journal" VALUES(3,'2026-11-21 01:32:48.182883','operator','embedded','token.mint',NULL,'ada','Gtb97Piy4G','{}');
INSERT INTO "journal" VALUES(4,'2026-11-21 01:32:48.210659','ada','embedded','file.upload','demo',NULL,NULL,'{"files": "demo-1.0-py3-none-any.whl", "project": "created"}');
INSERT INTO "journal" VALUES(5,'2026-11-21 01:32:48.220539','ada','embedded','file.upload','demo',NULL,NULL,'{"files": "demo-1.0.tar.gz"}');
INSERT INTO "journal" VALUES(6,'2026-11-21 01:32:48.230295','ada','embedded','file.yank','demo',NULL,NULL,'{"files": "demo-1.0.tar.gz"}');
CREATE TABLE projects (
	name VARCHAR(200) NOT NULL, 
	display_name VARCHAR(200) NOT NULL, 
	public BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	created_by VARCHAR(200) NOT NULL, 
	serial BIGINT NOT NULL, 
	deleted_at DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "projects" VALUES('demo','demo',0,'2026-11-21 01:32:48.202027','ada',6,NULL);
CREATE TABLE serials (
	id INTEGER NOT NULL, 
	value BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "serials" VALUES(1,6);
CREATE TABLE tokens (
	id VARCHAR(32) NOT NULL, 
	account VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	scope VARCHAR(16) NOT NULL, 
	project VARCHAR(200), 
	secret_sha256 VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME, 
	last_used_at DATETIME, 
	revoked_at DATETIME, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account) REFERENCES accounts (name)
);
INSERT INTO "tokens" VALUES('Gtb97Piy4G','ada','laptop','read',NULL,'c582d16a52ee84c3071c5f8789f1237a007b9c9ffdd78edd6a41ab486cbe11a4','2026-11-21 01:32:48.179683','2027-11-21 01:32:48.179690',NULL,NULL);
CREATE INDEX grants_by_principal ON grants (principal, project);
CREATE INDEX tokens_by_account ON tokens (account, created_at);
CREATE INDEX journal_by_project ON journal (project, serial);
COMMIT;
