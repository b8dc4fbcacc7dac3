package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/apply"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/plan"
	"github.com/unjam/unjam/internal/planner"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/connections"
	"github.com/unjam/unjam/lab/world"
)

// demoWorld is the incident that the demo plays when none is named.
const demoWorld = "demo"

func newDemo(e *env) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "demo [WORLD]",
		Short: "Play an incident on a simulated AWS, start to finish",
		Long: `Plays an incident on the built-in lab, start to finish: the diagnosis with its proof, the plan, the handshake that only
a person can do, the pipelines that run again, the check that it holds. Needs no AWS account and no network.

At a terminal you complete the handshake yourself, on the lab's console page; with --yes, or without a terminal, the
demo does it for you. unjam lab --list names the worlds.`,
		Example: "  unjam demo\n  unjam demo --yes\n  unjam demo not-finished --yes",
		Args:    atMostOne("WORLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := demoWorld
			if len(args) == 1 {
				name = args[0]
			}
			return e.demo(cmd.Context(), name, yes || !e.asks())
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return world.Worlds(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "play alone: the demo completes the handshake")
	return c
}

// demo plays a world. Everything it needs lives in a folder of its own, which it removes at the end.
func (e *env) demo(ctx context.Context, name string, alone bool) (err error) {
	if e.json() {
		return usagef("unjam demo speaks to people; for a script use unjam lab and unjam diagnose --output json")
	}
	l, w, err := loadWorld(name)
	if err != nil {
		return err
	}
	if w.Default == nil {
		return usagef("world %q has no caller: mark one with `you`", name)
	}
	l.Cloud.Within(l.Pipelines.Hurry)
	stop, base, err := startLab(l, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	home, err := os.MkdirTemp("", "unjam-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	k := w.Default
	a, err := app.Open(ctx, app.Config{
		EndpointURL: base, Console: base, Regions: []string{w.DefaultRegion}, Home: home, Version: Version(),
		Keys: &awsapi.Keys{ID: k.AccessKeyID, Secret: k.SecretAccessKey, Token: k.SessionToken, Source: "demo"},
	})
	if err != nil {
		return err
	}
	defer a.Close()
	d := demo{env: e, lab: l, world: w, app: a, home: home, alone: alone}
	return d.play(ctx)
}

// demo is one incident being played.
type demo struct {
	*env
	lab   *lab.Lab
	world *world.World
	app   *app.App
	home  string
	alone bool
	hands sync.WaitGroup
}

func (d *demo) play(ctx context.Context) error {
	fmt.Fprintf(d.out, "%s\nEverything below happens on a simulated AWS inside this program.\n", d.world.Title)
	d.chapter("1. What is stuck, and why", "unjam diagnose")
	found, err := d.app.Diagnose(ctx, app.Ask{}, faults.All(), d.progress(baseline.Baseline{}))
	if err != nil {
		return err
	}
	if err := report.Table(d.out, found.Report, d.view(d.out), ""); err != nil {
		return err
	}
	if !found.Report.Wrong() {
		fmt.Fprintln(d.out, "\nNothing is wrong in this world: there is nothing to mend.")
		return nil
	}
	d.chapter("2. What would be done about it", "unjam plan --out fix.json")
	p, err := planner.Make(found.Snapshot, found.Outcome.Findings, faults.All(), planFlags{}.Options)
	if err != nil {
		return err
	}
	if err := report.Plan(d.out, p, d.view(d.out)); err != nil {
		return err
	}
	if len(p.Steps) == 0 {
		fmt.Fprintf(d.out, "\nNext: unjam explain %s      (how to mend it by hand)\n", found.Report.Findings[0].Code)
		return verdict(found.Report)
	}
	accept := p.Consents()
	d.chapter("3. Doing it", "unjam apply fix.json --apply"+accepting(accept))
	j, err := journal.Open(d.home)
	if err != nil {
		return err
	}
	tell := d.events(p)
	ctx, cancel := context.WithCancel(ctx)
	out, err := d.app.Apply(ctx, app.Apply{Plan: p, Journal: j, Interval: 500 * time.Millisecond, Faults: faults.All(), Accept: accept, Events: func(ev apply.Event) {
		tell(ev)
		if ev.Event != apply.Waiting {
			return
		}
		if name, ok := strings.CutPrefix(ev.Step, "handshake-"); ok {
			d.handshake(ctx, cancel, name)
		} else if slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.ID == ev.Step && s.Kind == plan.Human }) {
			d.elsewhere(cancel)
		}
	}})
	cancel()
	d.hands.Wait()
	if err := errors.Join(err, j.Close()); err != nil {
		return err
	}
	fmt.Fprintln(d.out)
	if err := d.outcome(out, p, false); err != nil {
		return d.left(err)
	}
	d.chapter("4. The same question again", "unjam diagnose")
	again, err := d.app.Diagnose(ctx2(ctx), app.Ask{}, faults.All(), nil)
	if err != nil {
		return err
	}
	if err := report.Table(d.out, again.Report, d.view(d.out), ""); err != nil {
		return err
	}
	fmt.Fprintln(d.out, "\nNext: unjam whoami, then unjam diagnose, with your own AWS credentials: both only read.")
	return verdict(again.Report)
}

// left is the error of a run that did not come to its end. The demo's journal goes with the demo: there is nothing to resume.
func (d *demo) left(err error) error {
	var c codeError
	if errors.As(err, &c) {
		c.next = "unjam lab --world " + d.world.Name + "      (serves this world: play it with every command)"
		return c
	}
	return err
}

// ctx2 is a context for what comes after the run, whose own was ended.
func ctx2(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

func (d *demo) chapter(title, command string) {
	v := d.view(d.out)
	if v.Color {
		title = "\x1b[1m" + title + "\x1b[0m"
	}
	fmt.Fprintf(d.out, "\n== %s ==   $ %s\n\n", title, command)
}

// handshake has the handshake done: by the person at the terminal in a browser, or by the demo in the person's place.
func (d *demo) handshake(ctx context.Context, leave context.CancelFunc, name string) {
	d.hands.Go(func() {
		if d.alone {
			select {
			case <-time.After(1500 * time.Millisecond):
				d.completeOrLeave(name, leave)
			case <-ctx.Done():
			}
			return
		}
		d.say("  Open the link in a browser and complete the handshake there, or press Enter and the demo does it.")
		enter := make(chan struct{})
		go func() { // ends with the process at the latest: reading a terminal cannot be interrupted
			if _, err := bufio.NewReader(d.in).ReadString('\n'); err == nil {
				close(enter)
			}
		}()
		select {
		case <-enter:
			d.completeOrLeave(name, leave)
		case <-ctx.Done():
		}
	})
}

// completeOrLeave completes the handshake in the person's place. Where that cannot be done, it leaves the run.
func (d *demo) completeOrLeave(name string, leave context.CancelFunc) {
	if !d.complete(name) {
		d.elsewhere(leave)
	}
}

// elsewhere leaves the run: what it waits for is nothing that the demo can do.
func (d *demo) elsewhere(leave context.CancelFunc) {
	d.say("  Somebody else has to act first, as the plan says: the demo leaves the run here.")
	leave()
}

// complete plays the owner of the organisation at the console, with the AWS credentials of the world's caller, and reports whether
// that completed it: a refusal is told like any other.
func (d *demo) complete(name string) bool {
	var err error
	var outcome connections.Outcome
	d.lab.Cloud.Within(func() {
		k := d.world.Default
		who := connections.Person{Principal: k.Principal, Origin: cloud.Origin{UserAgent: "Mozilla/5.0", SourceIP: "192.0.2.10"}}
		outcome, err = d.lab.Connections.Handshake(who, d.world.ARN(name), connections.Attempt{Org: d.org(name)})
	})
	switch {
	case err != nil:
		d.say("  The handshake failed: %v", err)
	case outcome != connections.Completed:
		d.say("  The handshake ended without success: %s", outcome)
	default:
		d.say("  (the demo signed in at the provider as the organisation's owner and pressed Connect)")
	}
	return err == nil && outcome == connections.Completed
}

// org is the organisation that a connection is meant for: the first one of its provider.
func (d *demo) org(name string) string {
	c, ok := d.lab.Connections.Lookup(d.world.ARN(name))
	if !ok {
		return ""
	}
	for _, o := range d.lab.Git.Orgs(c.ProviderType) {
		return o.Name
	}
	return ""
}
