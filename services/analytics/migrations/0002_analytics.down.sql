DROP TABLE reports;
DROP TABLE facts;
DROP TABLE events_archive;
