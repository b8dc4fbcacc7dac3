package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

func newLab(e *env) *cobra.Command {
	var name, listen string
	var list bool
	c := &cobra.Command{
		Use:   "lab",
		Short: "Serve a simulated AWS for any AWS client",
		Long: `Serves a simulated AWS on this machine: CodePipeline, CodeConnections (also by its
old name), CodeBuild, CloudFormation, CloudTrail, IAM, STS, EC2 networks, AWS Config and a dozen more on one port, for unjam, the AWS CLI or any SDK. It is as unkind as AWS: connections start PENDING and only
the console page completes them, reads lag, access is denied by policy.

A world is a text file that says what happened in an account; the lab comes with some (--list).`,
		Example: `  unjam lab                                   the default world
  unjam lab --list
  unjam lab --world not-finished
  unjam lab --world my.world --listen 127.0.0.1:4599`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if list {
				return e.listWorlds()
			}
			return e.serveLab(cmd.Context(), name, listen)
		},
	}
	c.Flags().StringVar(&name, "world", defaultWorld, "name of a world that comes with the lab, or a `FILE`")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:4599", "loopback `ADDR` to listen on; port 0 takes a free one")
	c.Flags().BoolVar(&list, "list", false, "list the worlds that come with the lab")
	completes(c, "world", world.Worlds(), true)
	return c
}

// defaultWorld is the world that lab and demo play when none is named.
const defaultWorld = "never-attempted-cloudformation"

// loadWorld loads a world by name or file into a fresh lab.
func loadWorld(name string) (*lab.Lab, *world.World, error) {
	text, err := world.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = os.ReadFile(name); err != nil {
			return nil, nil, usagef("there is no world %q and no such file; unjam lab --list names the worlds%s", name, didYouMean(name, world.Worlds()))
		}
	}
	if err != nil {
		return nil, nil, usageError{err}
	}
	l := lab.New()
	w, err := world.Load(l, name, text, time.Now())
	if err != nil {
		return nil, nil, usageError{err}
	}
	return l, w, nil
}

// worldsDoc is the list of worlds as a document.
type worldsDoc struct {
	Schema string      `json:"schema"`
	Worlds []worldItem `json:"worlds"`
}

type worldItem struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// listWorlds lists the worlds that come with the lab.
func (e *env) listWorlds() error {
	doc := worldsDoc{Schema: "unjam/worlds/v1"}
	for _, n := range world.Worlds() {
		text, err := world.Open(n)
		if err != nil {
			return err
		}
		title, _, _ := strings.Cut(string(text), "\n")
		doc.Worlds = append(doc.Worlds, worldItem{n, strings.TrimPrefix(title, "# ")})
	}
	if e.json() {
		return report.JSON(e.out, doc)
	}
	for _, w := range doc.Worlds {
		if _, err := fmt.Fprintf(e.out, "%-34s %s\n", w.Name, w.Title); err != nil {
			return err
		}
	}
	return nil
}

// serveLab serves until the context ends.
func (e *env) serveLab(ctx context.Context, name, listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return usagef("--listen %q is not a loopback address such as 127.0.0.1:4599", listen)
	}
	l, w, err := loadWorld(name)
	if err != nil {
		return err
	}
	stop, base, err := startLab(l, listen)
	if err != nil {
		return codeError{code: exitFailed, err: err, next: "unjam lab --listen 127.0.0.1:0      (takes a free port)"}
	}
	fmt.Fprint(e.out, labEnv(w, base))
	e.say("Serving the world %q: %s\nSet the lines above in another shell, then: unjam diagnose\nThe console stands at %s/codesuite/settings/connections?region=%s. Ctrl-C ends it.", w.Name, w.Title, base, w.DefaultRegion)
	<-ctx.Done()
	return stop()
}

// startLab serves a lab and returns how to stop it and its base URL.
func startLab(l *lab.Lab, listen string) (stop func() error, base string, err error) {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, "", fmt.Errorf("listen on %s: %w", listen, err)
	}
	srv := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	stop = func() error {
		cerr := srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(err, cerr)
		}
		return cerr
	}
	return stop, "http://" + ln.Addr().String(), nil
}

// labEnv is the environment that points AWS clients at the lab, as shell lines. The keys are the lab's own: they open nothing else.
func labEnv(w *world.World, base string) string {
	var b strings.Builder
	set := func(k, v string) { fmt.Fprintf(&b, "export %s=%s\n", k, v) }
	set("AWS_ENDPOINT_URL", base)
	set("UNJAM_CONSOLE_URL", base)
	set("AWS_REGION", w.DefaultRegion)
	set("AWS_DEFAULT_REGION", w.DefaultRegion) // what the AWS CLI knows it by
	if w.Default != nil {
		set("AWS_ACCESS_KEY_ID", w.Default.AccessKeyID)
		set("AWS_SECRET_ACCESS_KEY", w.Default.SecretAccessKey)
		set("AWS_SESSION_TOKEN", w.Default.SessionToken)
	}
	return b.String()
}
