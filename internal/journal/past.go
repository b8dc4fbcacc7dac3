package journal

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Write is one call that a run was about to make.
type Write struct {
	At        time.Time // of the intent, UTC
	Run       string
	Account   string
	Step      string
	Operation string // service:Operation
	Failed    bool   // AWS refused it, or its step failed
}

// Writes are the calls of all runs since a time, oldest first.
func (j *Journal) Writes(since time.Time) ([]Write, error) {
	rows, err := j.db.Query(`SELECT e.at, e.run, r.account, e.step,
		COALESCE(json_extract(e.data, '$.service'), '') || ':' || COALESCE(json_extract(e.data, '$.operation'), ''),
		EXISTS (SELECT 1 FROM entries f WHERE f.run = e.run AND f.step = e.step AND f.seq > e.seq AND f.event IN ('refused', 'failed'))
		FROM entries e JOIN runs r ON r.id = e.run WHERE e.event = 'intent' AND e.at >= ? ORDER BY e.seq`, since.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read journal: calls: %w", classify(err))
	}
	defer rows.Close()
	var all []Write
	for rows.Next() {
		w, at := Write{}, int64(0)
		if err := rows.Scan(&at, &w.Run, &w.Account, &w.Step, &w.Operation, &w.Failed); err != nil {
			return nil, fmt.Errorf("read journal: calls: %w", classify(err))
		}
		w.At = time.Unix(0, at).UTC()
		all = append(all, w)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read journal: calls: %w", classify(err))
	}
	return all, nil
}

// Newest is when the last entry was written; zero for an empty journal.
func (j *Journal) Newest() (time.Time, error) {
	var at int64
	err := j.db.QueryRow("SELECT at FROM entries ORDER BY seq DESC LIMIT 1").Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read journal: last entry: %w", classify(err))
	}
	return time.Unix(0, at).UTC(), nil
}

// Since are the runs begun since a time, newest first, with their plans.
func (j *Journal) Since(since time.Time) ([]Listed, error) {
	all, err := j.List(0)
	if err != nil {
		return nil, err
	}
	var out []Listed
	for _, l := range all {
		if l.Created.Before(since) {
			break
		}
		if l.Run, err = j.Run(l.ID); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}
