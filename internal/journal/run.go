package journal

import (
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Run is one execution of a plan, over all the processes that worked on it.
type Run struct {
	ID      string          `json:"id"`
	PlanID  string          `json:"planId"`
	Plan    json.RawMessage `json:"plan,omitempty"`
	Account string          `json:"account"`
	Created time.Time       `json:"created"` // UTC
	By      string          `json:"by"`
}

// Listed is a run in a list.
type Listed struct {
	Run                 // without its plan
	Status    Status    `json:"status"`
	UpdatedAt time.Time `json:"updatedAt"` // the last entry about the run itself
}

// Create writes a new run and gives it an ID and a time; both may be preset. IDs are the UTC minute and four random
// characters, 20261123-0312-x7k2.
func (j *Journal) Create(r Run) (Run, error) {
	if r.Created.IsZero() {
		r.Created = time.Now()
	}
	r.Created = r.Created.UTC()
	preset := r.ID != ""
	for range 10 {
		if !preset {
			r.ID = newID(r.Created)
		}
		n, err := j.insert(r)
		if err != nil {
			return r, fmt.Errorf("write journal: new run: %w", classify(err))
		}
		if n == 1 {
			return r, nil
		}
		if preset {
			return r, fmt.Errorf("write journal: run %s exists already", r.ID)
		}
	}
	return r, errors.New("write journal: new run: no free ID")
}

func (j *Journal) insert(r Run) (int64, error) {
	res, err := j.db.Exec("INSERT INTO runs (id, plan_id, plan, account, created, by) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		r.ID, r.PlanID, string(r.Plan), r.Account, r.Created.UnixNano(), r.By)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// newID leaves out characters that are read as others.
func newID(at time.Time) string {
	const letters = "23456789abcdefghjkmnpqrstuvwxyz"
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic("journal: no random bytes: " + err.Error()) // crypto/rand never fails since Go 1.24
	}
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return at.UTC().Format("20060102-1504") + "-" + string(b[:])
}

// Run finds a run; ErrNoRun when there is none.
func (j *Journal) Run(id string) (Run, error) {
	r, created, text := Run{}, int64(0), ""
	err := j.db.QueryRow("SELECT id, plan_id, plan, account, created, by FROM runs WHERE id = ?", id).
		Scan(&r.ID, &r.PlanID, &text, &r.Account, &created, &r.By)
	if errors.Is(err, sql.ErrNoRows) {
		return r, fmt.Errorf("read journal: run %q: %w", id, ErrNoRun)
	}
	if err != nil {
		return r, fmt.Errorf("read journal: run %s: %w", id, classify(err))
	}
	r.Plan, r.Created = json.RawMessage(text), time.Unix(0, created).UTC()
	return r, nil
}

// Last is the newest run; ErrNoRun when there is none.
func (j *Journal) Last() (Run, error) {
	var id string
	err := j.db.QueryRow("SELECT id FROM runs ORDER BY created DESC, id DESC LIMIT 1").Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, fmt.Errorf("read journal: last run: %w", ErrNoRun)
	}
	if err != nil {
		return Run{}, fmt.Errorf("read journal: last run: %w", classify(err))
	}
	return j.Run(id)
}

// List lists runs, newest first, at most limit (0: all). A run whose process died without a word is listed as stopped.
func (j *Journal) List(limit int) ([]Listed, error) {
	if limit <= 0 {
		limit = -1 // SQLite: no limit
	}
	// The last start or end of the run comes as one column: rows and columns cost more here than bytes.
	rows, err := j.db.Query(`SELECT id, plan_id, account, created, by, COALESCE((SELECT at || ' ' || event || ' ' || data
		FROM entries WHERE run = id AND step = '' AND event IN ('run-started', 'run-finished') ORDER BY seq DESC LIMIT 1), '')
		FROM runs ORDER BY created DESC, id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("read journal: list runs: %w", classify(err))
	}
	defer rows.Close()
	var all []Listed
	for rows.Next() {
		l, created, last := Listed{}, int64(0), ""
		if err := rows.Scan(&l.ID, &l.PlanID, &l.Account, &created, &l.By, &last); err != nil {
			return nil, fmt.Errorf("read journal: list runs: %w", classify(err))
		}
		l.Created = time.Unix(0, created).UTC()
		l.Status, l.UpdatedAt = j.status(l.ID, l.Created, last)
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read journal: list runs: %w", classify(err))
	}
	return all, nil
}

// status is what the last entry about a run ("time kind data") says of it.
func (j *Journal) status(run string, created time.Time, last string) (Status, time.Time) {
	at, rest, found := strings.Cut(last, " ")
	kind, data, _ := strings.Cut(rest, " ")
	ns, err := strconv.ParseInt(at, 10, 64)
	if !found || err != nil {
		return Planned, created
	}
	s := Fold([]Entry{{Event: Kind(kind), Data: json.RawMessage(data)}}).Status
	if s == Running && !j.Held(run) {
		s = WasStopped
	}
	return s, time.Unix(0, ns).UTC()
}
