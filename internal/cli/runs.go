package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/report"
)

// journal opens the journal in the state folder.
func (e *env) journal() (*journal.Journal, error) {
	home, err := e.homeDir()
	if err != nil {
		return nil, err
	}
	return journal.Open(home)
}

func newRuns(e *env) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "runs", Short: "List what was applied, newest first", Args: noArgs,
		Long:    "Lists the runs in the journal of this machine, newest first.",
		Example: "  unjam runs\n  unjam runs --output json",
		RunE: func(*cobra.Command, []string) error {
			if limit < 0 {
				return usagef("--limit is %d, want a number of runs, or 0 for all", limit)
			}
			j, err := e.journal()
			if err != nil {
				return err
			}
			defer j.Close()
			all, err := j.List(limit)
			if err != nil {
				return err
			}
			return e.data(func(w io.Writer) error {
				if e.json() {
					return report.JSON(w, runsDoc{Schema: "unjam/runs/v1", Runs: append([]journal.Listed{}, all...)})
				}
				var rows []report.RunRow
				for _, r := range all {
					rows = append(rows, report.RunRow{ID: r.ID, Status: string(r.Status), Account: r.Account, Created: r.Created})
				}
				return report.Runs(w, rows, e.view(e.out))
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", 30, "at most `N`; 0: all")
	return c
}

type runsDoc struct {
	Schema string           `json:"schema"`
	Runs   []journal.Listed `json:"runs"`
}

func newShow(e *env) *cobra.Command {
	c := &cobra.Command{
		Use: "show [RUN]", Short: "Show one run: its steps and what came of them", Args: atMostOne("RUN"),
		Long:    "Shows one run: its steps, what came of them, when and by whom. Without RUN the newest one.",
		Example: "  unjam show\n  unjam show 20261123-0312-x7k2 --output json",
		RunE: func(_ *cobra.Command, args []string) error {
			j, r, err := e.run(args)
			if err != nil {
				return err
			}
			defer j.Close()
			return e.showRun(j, r)
		},
		ValidArgsFunction: e.completeRuns,
	}
	c.Flags().StringVar(&e.outFile, "out", "", "write to `FILE` instead of standard output")
	return c
}

// run finds the run named, or the newest one. The caller closes the journal.
func (e *env) run(args []string) (*journal.Journal, journal.Run, error) {
	j, err := e.journal()
	if err != nil {
		return nil, journal.Run{}, err
	}
	var r journal.Run
	if len(args) == 1 {
		r, err = j.Run(args[0])
	} else {
		if r, err = j.Last(); errors.Is(err, journal.ErrNoRun) {
			err = codeError{code: exitFailed, err: errors.New("there is no run yet: nothing was applied with this state folder"), next: "unjam fix TARGET"}
		}
	}
	if err != nil {
		return nil, r, closing(j, err)
	}
	return j, r, nil
}

// errNone means that no run fits.
var errNone = errors.New("no run fits")

// runThat finds the run named, or the newest one that fits; errNone when none does. The caller closes the journal.
func (e *env) runThat(args []string, fits func(plan.Plan, journal.State) bool) (*journal.Journal, journal.Run, error) {
	j, newest, err := e.run(args)
	if err != nil || len(args) > 0 {
		return j, newest, err
	}
	all, err := j.List(30)
	if err != nil {
		return nil, newest, closing(j, err)
	}
	for _, l := range all {
		r, err := j.Run(l.ID)
		if err != nil {
			return nil, r, closing(j, err)
		}
		st, err := j.State(l.ID)
		if err != nil {
			return nil, r, closing(j, err)
		}
		if p, err := plan.Parse(r.Plan); err == nil && fits(p, st) {
			return j, r, nil
		}
	}
	return nil, newest, closing(j, errNone)
}

// open reports whether a run can be gone on with.
func open(_ plan.Plan, st journal.State) bool {
	return st.Status != journal.IsDone && st.Status != journal.IsStale && st.RolledBack == ""
}

// changed reports whether a run has called something that is not taken back yet.
func changed(p plan.Plan, st journal.State) bool {
	if p.Undoes != "" || st.RolledBack != "" {
		return false
	}
	for _, s := range st.Steps {
		if s.Called || s.Open {
			return true
		}
	}
	return false
}

// closing closes the journal on the way out with an error.
func closing(j *journal.Journal, err error) error {
	if cerr := j.Close(); cerr != nil {
		return cerr
	}
	return err
}

type runDoc struct {
	Schema  string          `json:"schema"`
	Run     journal.Run     `json:"run"`
	State   journal.State   `json:"state"`
	Entries []journal.Entry `json:"entries"`
}

// showRun prints a run.
func (e *env) showRun(j *journal.Journal, r journal.Run) error {
	state, err := j.State(r.ID)
	if err != nil {
		return err
	}
	p, err := plan.Parse(r.Plan)
	if err != nil {
		return err
	}
	entries, err := j.Entries(r.ID)
	if err != nil {
		return err
	}
	if state.Status == journal.Running && !j.Held(r.ID) {
		state.Status = journal.WasStopped // its process died without a word
	}
	return e.data(func(w io.Writer) error {
		if e.json() {
			return report.JSON(w, runDoc{Schema: "unjam/run/v1", Run: r, State: state, Entries: entries})
		}
		title := "Run " + r.ID + ": " + string(state.Status) + "  account " + r.Account + "  by " + report.Who(r.By)
		return report.Run(w, title, r.Created, state.UpdatedAt, runNotes(p, state), stepRows(p, state, entries), e.view(e.out))
	})
}

// runNotes are lines about the run itself: what it takes back, what takes it back, what was saved before it, what was consented to.
func runNotes(p plan.Plan, state journal.State) []string {
	var notes []string
	if p.Undoes != "" {
		notes = append(notes, "takes back run "+p.Undoes)
	}
	if state.RolledBack != "" {
		notes = append(notes, "taken back by run "+state.RolledBack)
	}
	if x := state.Export; x != nil {
		text := fmt.Sprintf("before it: %s in %s", fault.Plural(len(x.Files), "file"), x.Folder)
		if x.Commit != "" {
			text += ", commit " + x.Commit[:min(len(x.Commit), 12)]
		} else {
			text += ", not committed: " + x.Trouble
		}
		notes = append(notes, text)
	}
	if len(state.Accepted) > 0 {
		notes = append(notes, "consented to: "+strings.Join(state.Accepted, ", "))
	}
	return notes
}

// stepRows are the steps of a run with what came of them, when and by whom.
func stepRows(p plan.Plan, state journal.State, entries []journal.Entry) []report.StepRow {
	last := map[string]journal.Entry{}
	for _, en := range entries {
		last[en.Step] = en
	}
	var rows []report.StepRow
	for _, s := range p.Steps {
		st := state.Step(s.ID)
		row := report.StepRow{Status: string(st.Status), Title: s.Title, Message: st.Message, At: last[s.ID].At, By: last[s.ID].By}
		if s.Say != nil && (st.Status == journal.IsWaiting || st.Status == journal.WasStopped) {
			row.Message = s.Say.Link // what whoever takes over needs
		}
		rows = append(rows, row)
	}
	return rows
}

// planOf is the plan of a run.
func planOf(j *journal.Journal, run string) (plan.Plan, error) {
	r, err := j.Run(run)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Parse(r.Plan)
}

// completeRuns offers run IDs to the shell.
func (e *env) completeRuns(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	j, err := e.journal()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer j.Close()
	all, err := j.List(30)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// atMostOne wants no argument or one.
func atMostOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("%s takes at most one %s", cmd.CommandPath(), name)
		}
		return nil
	}
}
