// Package journal is the durable log of runs: what was intended, what came of it, by whom, and the state that follows from it.
// It never changes or deletes an entry, and it knows nothing of AWS.
package journal

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the SQLite driver, in Go
)

// File is the name of the journal in the home folder.
const File = "journal.db"

// version is the schema's version, kept in SQLite's user_version.
const version = 2

// Journal is an open journal. It is safe for concurrent use, and several processes may have it open.
type Journal struct {
	db   *sql.DB
	home string
}

// Entry is one line of the log.
type Entry struct {
	Run   string          `json:"run"`
	Step  string          `json:"step,omitempty"` // "" for entries about the run itself
	Seq   int64           `json:"seq"`            // grows over all runs
	At    time.Time       `json:"at"`             // UTC
	By    string          `json:"by"`
	Event Kind            `json:"event"`
	Data  json.RawMessage `json:"data,omitempty"`
}

const schema = `
CREATE TABLE runs (
	id      TEXT PRIMARY KEY,
	plan_id TEXT NOT NULL,
	plan    TEXT NOT NULL,
	account TEXT NOT NULL,
	created INTEGER NOT NULL,
	by      TEXT NOT NULL
) STRICT;
CREATE INDEX runs_created ON runs (created);
CREATE TABLE entries (
	seq   INTEGER PRIMARY KEY,
	run   TEXT NOT NULL REFERENCES runs (id),
	step  TEXT NOT NULL,
	at    INTEGER NOT NULL,
	by    TEXT NOT NULL,
	event TEXT NOT NULL,
	data  TEXT NOT NULL
) STRICT;
CREATE INDEX entries_run ON entries (run, seq);
CREATE INDEX entries_run_level ON entries (run, seq, event, at, data) WHERE step = '';
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_last BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER runs_stay BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'runs are never changed'); END;
CREATE TRIGGER runs_last BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'runs are never deleted'); END;
`

// second is what version 2 added: calls by time, for breakers.
const second = `
CREATE INDEX entries_intents ON entries (at) WHERE event = 'intent';
PRAGMA user_version = 2;
`

// Open opens the journal in the home folder and makes both when they are missing: the folder with mode 0700, the file with
// 0600. Every write is on the disk (WAL, synchronous FULL) before it returns. The home must be on a local disk.
func Open(home string) (*Journal, error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: make home folder %s (choose another with --home): %w", home, err)
	}
	path, err := filepath.Abs(filepath.Join(home, File))
	if err != nil {
		return nil, fmt.Errorf("open journal: find %s: %w", home, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("open journal: %s: %w: %v", path, ErrReadOnly, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_txlock=immediate"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", classify(err))
	}
	db.SetMaxOpenConns(1)
	j := &Journal{db: db, home: home}
	if err := j.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %s: %w", path, classify(err)), db.Close())
	}
	return j, nil
}

// prepare makes the tables of a new journal, completes those of an older one and refuses one of a later version.
func (j *Journal) prepare() error {
	tx, err := j.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	var v int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&v); err != nil {
		return err
	}
	switch {
	case v == version:
		return nil
	case v > version:
		return fmt.Errorf("it has version %d, this unjam knows %d: use a newer unjam", v, version)
	}
	if v == 0 {
		if _, err := tx.Exec(schema); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(second); err != nil {
		return err
	}
	return tx.Commit()
}

// Close closes the journal.
func (j *Journal) Close() error {
	if err := j.db.Close(); err != nil {
		return fmt.Errorf("close journal: %w", classify(err))
	}
	return nil
}

// Append writes one entry; when it returns nil, the entry is on the disk. Seq and a zero At are filled in; data is anything
// that marshals, or nil.
func (j *Journal) Append(e Entry, data any) (Entry, error) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.At = e.At.UTC()
	e.Data = json.RawMessage("{}")
	if data != nil {
		b, err := json.Marshal(data)
		if err != nil {
			return e, fmt.Errorf("write journal: %s of run %s: %w", e.Event, e.Run, err)
		}
		e.Data = b
	}
	r, err := j.db.Exec("INSERT INTO entries (run, step, at, by, event, data) VALUES (?, ?, ?, ?, ?, ?)",
		e.Run, e.Step, e.At.UnixNano(), e.By, string(e.Event), string(e.Data))
	if err != nil {
		return e, fmt.Errorf("write journal: %s of run %s: %w", e.Event, e.Run, classify(err))
	}
	if e.Seq, err = r.LastInsertId(); err != nil {
		return e, fmt.Errorf("write journal: %s of run %s: %w", e.Event, e.Run, classify(err))
	}
	return e, nil
}

// Entries are a run's entries, oldest first.
func (j *Journal) Entries(run string) ([]Entry, error) {
	rows, err := j.db.Query("SELECT step, seq, at, by, event, data FROM entries WHERE run = ? ORDER BY seq", run)
	if err != nil {
		return nil, fmt.Errorf("read journal: run %s: %w", run, classify(err))
	}
	defer rows.Close()
	var all []Entry
	for rows.Next() {
		e, at, data := Entry{Run: run}, int64(0), ""
		if err := rows.Scan(&e.Step, &e.Seq, &at, &e.By, &e.Event, &data); err != nil {
			return nil, fmt.Errorf("read journal: run %s: %w", run, classify(err))
		}
		e.At, e.Data = time.Unix(0, at).UTC(), json.RawMessage(data)
		all = append(all, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read journal: run %s: %w", run, classify(err))
	}
	return all, nil
}

// State is a run's state: the fold of its entries.
func (j *Journal) State(run string) (State, error) {
	all, err := j.Entries(run)
	if err != nil {
		return State{}, err
	}
	return Fold(all), nil
}
