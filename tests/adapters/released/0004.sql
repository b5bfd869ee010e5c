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
INSERT INTO "alembic_version" VALUES('0004');
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
CREATE TABLE holds (
	id INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "holds" VALUES(0);
INSERT INTO "holds" VALUES(1);
INSERT INTO "holds" VALUES(2);
INSERT INTO "holds" VALUES(3);
INSERT INTO "holds" VALUES(4);
INSERT INTO "holds" VALUES(5);
INSERT INTO "holds" VALUES(6);
INSERT INTO "holds" VALUES(7);
INSERT INTO "holds" VALUES(8);
INSERT INTO "holds" VALUES(9);
INSERT INTO "holds" VALUES(10);
INSERT INTO "holds" VALUES(11);
INSERT INTO "holds" VALUES(12);
INSERT INTO "holds" VALUES(13);
INSERT INTO "holds" VALUES(14);
INSERT INTO "holds" VALUES(15);
INSERT INTO "holds" VALUES(16);
INSERT INTO "holds" VALUES(17);
INSERT INTO "holds" VALUES(18);
INSERT INTO "holds" VALUES(19);
INSERT INTO "holds" VALUES(20);
INSERT INTO "holds" VALUES(21);
INSERT INTO "holds" VALUES(22);
INSERT INTO "holds" VALUES(23);
INSERT INTO "holds" VALUES(24);
INSERT INTO "holds" VALUES(25);
INSERT INTO "holds" VALUES(26);
INSERT INTO "holds" VALUES(27);
INSERT INTO "holds" VALUES(28);
INSERT INTO "holds" VALUES(29);
INSERT INTO "holds" VALUES(30);
INSERT INTO "holds" VALUES(31);
INSERT INTO "holds" VALUES(32);
INSERT INTO "holds" VALUES(33);
INSERT INTO "holds" VALUES(34);
INSERT INTO "holds" VALUES(35);
INSERT INTO "holds" VALUES(36);
INSERT INTO "holds" VALUES(37);
INSERT INTO "holds" VALUES(38);
INSERT INTO "holds" VALUES(39);
INSERT INTO "holds" VALUES(40);
INSERT INTO "holds" VALUES(41);
INSERT INTO "holds" VALUES(42);
INSERT INTO "holds" VALUES(43);
INSERT INTO "holds" VALUES(44);
INSERT INTO "holds" VALUES(45);
INSERT INTO "holds" VALUES(46);
INSERT INTO "holds" VALUES(47);
INSERT INTO "holds" VALUES(48);
INSERT INTO "holds" VALUES(49);
INSERT INTO "holds" VALUES(50);
INSERT INTO "holds" VALUES(51);
INSERT INTO "holds" VALUES(52);
INSERT INTO "holds" VALUES(53);
INSERT INTO "holds" VALUES(54);
INSERT INTO "holds" VALUES(55);
INSERT INTO "holds" VALUES(56);
INSERT INTO "holds" VALUES(57);
INSERT INTO "holds" VALUES(58);
INSERT INTO "holds" VALUES(59);
INSERT INTO "holds" VALUES(60);
INSERT INTO "holds" VALUES(61);
INSERT INTO "holds" VALUES(62);
INSERT INTO "holds" VALUES(63);
INSERT INTO "holds" VALUES(64);
INSERT INTO "holds" VALUES(65);
INSERT INTO "holds" VALUES(66);
INSERT INTO "holds" VALUES(67);
INSERT INTO "holds" VALUES(68);
INSERT INTO "holds" VALUES(69);
INSERT INTO "holds" VALUES(70);
INSERT INTO "holds" VALUES(71);
INSERT INTO "holds" VALUES(72);
INSERT INTO "holds" VALUES(73);
INSERT INTO "holds" VALUES(74);
INSERT INTO "holds" VALUES(75);
INSERT INTO "holds" VALUES(76);
INSERT INTO "holds" VALUES(77);
INSERT INTO "holds" VALUES(78);
INSERT INTO "holds" VALUES(79);
INSERT INTO "holds" VALUES(80);
INSERT INTO "holds" VALUES(81);
INSERT INTO "holds" VALUES(82);
INSERT INTO "holds" VALUES(83);
INSERT INTO "holds" VALUES(84);
INSERT INTO "holds" VALUES(85);
INSERT INTO "holds" VALUES(86);
INSERT INTO "holds" VALUES(87);
INSERT INTO "holds" VALUES(88);
INSERT INTO "holds" VALUES(89);
INSERT INTO "holds" VALUES(90);
INSERT INTO "holds" VALUES(91);
INSERT INTO "holds" VALUES(92);
INSERT INTO "holds" VALUES(93);
INSERT INTO "holds" VALUES(94);
INSERT INTO "holds" VALUES(95);
INSERT INTO "holds" VALUES(96);
INSERT INTO "holds" VALUES(97);
INSERT INTO "holds" VALUES(98);
INSERT INTO "holds" VALUES(99);
INSERT INTO "holds" VALUES(100);
INSERT INTO "holds" VALUES(101);
INSERT INTO "holds" VALUES(102);
INSERT INTO "holds" VALUES(103);
INSERT INTO "holds" VALUES(104);
INSERT INTO "holds" VALUES(105);
INSERT INTO "holds" VALUES(106);
INSERT INTO "holds" VALUES(107);
INSERT INTO "holds" VALUES(108);
INSERT INTO "holds" VALUES(109);
INSERT INTO "holds" VALUES(110);
INSERT INTO "holds" VALUES(111);
INSERT INTO "holds" VALUES(112);
INSERT INTO "holds" VALUES(113);
INSERT INTO "holds" VALUES(114);
INSERT INTO "holds" VALUES(115);
INSERT INTO "holds" VALUES(116);
INSERT INTO "holds" VALUES(117);
INSERT INTO "holds" VALUES(118);
INSERT INTO "holds" VALUES(119);
INSERT INTO "holds" VALUES(120);
INSERT INTO "holds" VALUES(121);
INSERT INTO "holds" VALUES(122);
INSERT INTO "holds" VALUES(123);
INSERT INTO "holds" VALUES(124);
INSERT INTO "holds" VALUES(125);
INSERT INTO "holds" VALUES(126);
INSERT INTO "holds" VALUES(127);
INSERT INTO "holds" VALUES(128);
INSERT INTO "holds" VALUES(129);
INSERT INTO "holds" VALUES(130);
INSERT INTO "holds" VALUES(131);
INSERT INTO "holds" VALUES(132);
INSERT INTO "holds" VALUES(133);
INSERT INTO "holds" VALUES(134);
INSERT INTO "holds" VALUES(135);
INSERT INTO "holds" VALUES(136);
INSERT INTO "holds" VALUES(137);
INSERT INTO "holds" VALUES(138);
INSERT INTO "holds" VALUES(139);
INSERT INTO "holds" VALUES(140);
INSERT INTO "holds" VALUES(141);
INSERT INTO "holds" VALUES(142);
INSERT INTO "holds" VALUES(143);
INSERT INTO "holds" VALUES(144);
INSERT INTO "holds" VALUES(145);
INSERT INTO "holds" VALUES(146);
INSERT INTO "holds" VALUES(147);
INSERT INTO "holds" VALUES(148);
INSERT INTO "holds" VALUES(149);
INSERT INTO "holds" VALUES(150);
INSERT INTO "holds" VALUES(151);
INSERT INTO "holds" VALUES(152);
INSERT INTO "holds" VALUES(153);
INSERT INTO "holds" VALUES(154);
INSERT INTO "holds" VALUES(155);
INSERT INTO "holds" VALUES(156);
INSERT INTO "holds" VALUES(157);
INSERT INTO "holds" VALUES(158);
INSERT INTO "holds" VALUES(159);
INSERT INTO "holds" VALUES(160);
INSERT INTO "holds" VALUES(161);
INSERT INTO "holds" VALUES(162);
INSERT INTO "holds" VALUES(163);
INSERT INTO "holds" VALUES(164);
INSERT INTO "holds" VALUES(165);
INSERT INTO "holds" VALUES(166);
INSERT INTO "holds" VALUES(167);
INSERT INTO "holds" VALUES(168);
INSERT INTO "holds" VALUES(169);
INSERT INTO "holds" VALUES(170);
INSERT INTO "holds" VALUES(171);
INSERT INTO "holds" VALUES(172);
INSERT INTO "holds" VALUES(173);
INSERT INTO "holds" VALUES(174);
INSERT INTO "holds" VALUES(175);
INSERT INTO "holds" VALUES(176);
INSERT INTO "holds" VALUES(177);
INSERT INTO "holds" VALUES(178);
INSERT INTO "holds" VALUES(179);
INSERT INTO "holds" VALUES(180);
INSERT INTO "holds" VALUES(181);
INSERT INTO "holds" VALUES(182);
INSERT INTO "holds" VALUES(183);
INSERT INTO "holds" VALUES(184);
INSERT INTO "holds" VALUES(185);
INSERT INTO "holds" VALUES(186);
INSERT INTO "holds" VALUES(187);
INSERT INTO "holds" VALUES(188);
INSERT INTO "holds" VALUES(189);
INSERT INTO "holds" VALUES(190);
INSERT INTO "holds" VALUES(191);
INSERT INTO "holds" VALUES(192);
INSERT INTO "holds" VALUES(193);
INSERT INTO "holds" VALUES(194);
INSERT INTO "holds" VALUES(195);
INSERT INTO "holds" VALUES(196);
INSERT INTO "holds" VALUES(197);
INSERT INTO "holds" VALUES(198);
INSERT INTO "holds" VALUES(199);
INSERT INTO "holds" VALUES(200);
INSERT INTO "holds" VALUES(201);
INSERT INTO "holds" VALUES(202);
INSERT INTO "holds" VALUES(203);
INSERT INTO "holds" VALUES(204);
INSERT INTO "holds" VALUES(205);
INSERT INTO "holds" VALUES(206);
INSERT INTO "holds" VALUES(207);
INSERT INTO "holds" VALUES(208);
INSERT INTO "holds" VALUES(209);
INSERT INTO "holds" VALUES(210);
INSERT INTO "holds" VALUES(211);
INSERT INTO "holds" VALUES(212);
INSERT INTO "holds" VALUES(213);
INSERT INTO "holds" VALUES(214);
INSERT INTO "holds" VALUES(215);
INSERT INTO "holds" VALUES(216);
INSERT INTO "holds" VALUES(217);
INSERT INTO "holds" VALUES(218);
INSERT INTO "holds" VALUES(219);
INSERT INTO "holds" VALUES(220);
INSERT INTO "holds" VALUES(221);
INSERT INTO "holds" VALUES(222);
INSERT INTO "holds" VALUES(223);
INSERT INTO "holds" VALUES(224);
INSERT INTO "holds" VALUES(225);
INSERT INTO "holds" VALUES(226);
INSERT INTO "holds" VALUES(227);
INSERT INTO "holds" VALUES(228);
INSERT INTO "holds" VALUES(229);
INSERT INTO "holds" VALUES(230);
INSERT INTO "holds" VALUES(231);
INSERT INTO "holds" VALUES(232);
INSERT INTO "holds" VALUES(233);
INSERT INTO "holds" VALUES(234);
INSERT INTO "holds" VALUES(235);
INSERT INTO "holds" VALUES(236);
INSERT INTO "holds" VALUES(237);
INSERT INTO "holds" VALUES(238);
INSERT INTO "holds" VALUES(239);
INSERT INTO "holds" VALUES(240);
INSERT INTO "holds" VALUES(241);
INSERT INTO "holds" VALUES(242);
INSERT INTO "holds" VALUES(243);
INSERT INTO "holds" VALUES(244);
INSERT INTO "holds" VALUES(245);
INSERT INTO "holds" VALUES(246);
INSERT INTO "holds" VALUES(247);
INSERT INTO "holds" VALUES(248);
INSERT INTO "holds" VALUES(249);
INSERT INTO "holds" VALUES(250);
INSERT INTO "holds" VALUES(251);
INSERT INTO "holds" VALUES(252);
INSERT INTO "holds" VALUES(253);
INSERT INTO "holds" VALUES(254);
INSERT INTO "holds" VALUES(255);
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
CREATE INDEX tokens_by_end ON tokens (expires_at);
COMMIT;
