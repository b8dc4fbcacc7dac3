package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/journal"
	"github.com/unjam/unjam/internal/verify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a journal of one run. It dies at its nth entry; 0: never.
type book struct {
	entries []journal.Entry
	dies    int
}

var errDead = errors.New("the process is dead")

func (b *book) Append(e journal.Entry, data any) (journal.Entry, error) {
	if b.dies > 0 && len(b.entries)+1 >= b.dies {
		return e, errDead
	}
	text, err := json.Marshal(data)
	if err != nil {
		return e, err
	}
	e.Data, e.At = text, time.Now()
	b.entries = append(b.entries, e)
	return e, nil
}

func (b *book) Entries(string) ([]journal.Entry, error) { return b.entries, nil }

// ear is a notifier that keeps what it is told.
type ear struct {
	deaf  bool
	heard []string
}

func (e *ear) Name() string { return "ear" }

func (e *ear) Notify(_ context.Context, n Notice) error {
	if e.deaf {
		return errors.New("deaf")
	}
	e.heard = append(e.heard, string(n.Kind)+" "+n.ID)
	return nil
}

func holds() verify.Report { return verify.Report{Verdict: verify.Fixed} }

func broken(ids ...string) verify.Report {
	r := verify.Report{Verdict: verify.Broken}
	for _, id := range ids {
		r.Findings = append(r.Findings, verify.Finding{ID: id, Message: id + " is broken"})
	}
	return r
}

// game is a watch of a run that ended when the game began; reports are what its checks find, by hours since then.
type game struct {
	Config
	ear  *ear
	book *book
	said []string
}

func play(reports func(hours float64) (verify.Report, error)) *game {
	g := &game{ear: &ear{}, book: &book{}}
	begun := time.Now()
	g.Config = Config{Run: "r", Begun: begun, For: 48 * time.Hour, Journal: g.book, Notify: []Notifier{g.ear},
		Check: func(context.Context) (verify.Report, error) { return reports(time.Since(begun).Hours()) },
		Tell:  func(e Event) { g.said = append(g.said, e.Text) }}
	return g
}

func (g *game) says(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(strings.Join(g.said, "\n"), text) {
		t.Errorf("it does not say %q:\n%s", text, strings.Join(g.said, "\n"))
	}
}

func TestSchedule(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		length, interval time.Duration
		want             string
	}{
		{48 * time.Hour, 0, "1h0m0s 6h0m0s 24h0m0s 48h0m0s"},
		{time.Hour, 0, "1h0m0s"},
		{30 * time.Hour, 0, "1h0m0s 6h0m0s 24h0m0s 30h0m0s"},
		{100 * time.Hour, 0, "1h0m0s 6h0m0s 24h0m0s 48h0m0s 100h0m0s"},
		{10 * time.Minute, 0, "10m0s"},
		{10 * time.Second, 4 * time.Second, "4s 8s 10s"},
	} {
		var got []string
		for _, x := range Schedule(at, tt.length, tt.interval) {
			got = append(got, x.Sub(at).String())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s every %s: %s, want %s", tt.length, tt.interval, s, tt.want)
		}
	}
}

func TestHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []float64
		g := play(func(h float64) (verify.Report, error) { at = append(at, h); return holds(), nil })
		out, err := Run(t.Context(), g.Config)
		if err != nil || out.Verdict != verify.Fixed || out.Checks != 4 || out.Late != 0 || out.Text != "Run r held for 48 h (4 checks, 0 late)" {
			t.Errorf("%v %+v", err, out)
		}
		if !slices.Equal(at, []float64{1, 6, 24, 48}) {
			t.Errorf("checked at %v", at)
		}
		if !slices.Equal(g.ear.heard, []string{"closing "}) {
			t.Errorf("heard %v", g.ear.heard)
		}
	})
}

// Each trouble is told once, however often it is seen, and so is its end.
func TestBreaksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := play(func(h float64) (verify.Report, error) {
			switch {
			case h < 5:
				return holds(), nil
			case h < 12:
				return broken("a"), nil
			case h < 30:
				return broken("a", "b"), nil
			}
			return broken("b"), nil
		})
		out, err := Run(t.Context(), g.Config)
		if err != nil || out.Verdict != verify.Broken || !strings.Contains(out.Text, "b is broken") {
			t.Errorf("%v %+v", err, out)
		}
		if want := []string{"trouble a", "trouble b", "over a", "closing "}; !slices.Equal(g.ear.heard, want) {
			t.Errorf("heard %v, want %v", g.ear.heard, want)
		}
	})
}

// What was broken in between did not hold, even if it is fixed in the end.
func TestBrokenInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := play(func(h float64) (verify.Report, error) {
			if h > 5 && h < 7 {
				return broken("a"), nil
			}
			return holds(), nil
		})
		out, err := Run(t.Context(), g.Config)
		if err != nil || out.Verdict != verify.Broken || !strings.Contains(out.Text, "fixed again") {
			t.Errorf("%v %+v", err, out)
		}
	})
}

// A check that could not see ends no trouble.
func TestUnseenEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := play(func(h float64) (verify.Report, error) {
			if h < 2 {
				return broken("a"), nil
			}
			return verify.Report{Verdict: verify.Unseen, Gaps: []string{"denied"}}, nil
		})
		out, err := Run(t.Context(), g.Config)
		if err != nil || out.Verdict != verify.Broken || !slices.Equal(g.ear.heard, []string{"trouble a", "closing "}) {
			t.Errorf("%v %+v %v", err, out, g.ear.heard)
		}
		g.says(t, "not everything could be: denied")
	})
}

// Whoever was asleep for 30 hours makes one late check for all that were missed, and says so.
func TestAsleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := 0
		g := play(func(float64) (verify.Report, error) { checks++; return holds(), nil })
		time.Sleep(30 * time.Hour)
		out, err := Run(t.Context(), g.Config)
		if err != nil || checks != 2 || out.Checks != 2 || out.Late != 1 || !strings.Contains(out.Text, "2 checks, 1 late, 2 missed") {
			t.Errorf("%v %+v, %d checks", err, out, checks)
		}
		g.says(t, "this check was due 6h0m0s ago")
	})
}

// Credentials that ran out are waited for.
func TestExpiredCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		renewed := 0
		g := play(func(h float64) (verify.Report, error) {
			if h > 5 && h < 9 {
				return verify.Report{}, awsapi.Failure{Class: fact.Expired, Why: "the session has ended"}
			}
			return holds(), nil
		})
		g.Renew = func(context.Context) error { renewed++; return nil }
		out, err := Run(t.Context(), g.Config)
		if err != nil || out.Verdict != verify.Fixed || out.Late != 1 || renewed == 0 {
			t.Errorf("%v %+v, renewed %d times", err, out, renewed)
		}
		g.says(t, "the session has ended: run `aws sso login`")
		if n := strings.Count(strings.Join(g.said, "\n"), "aws sso login"); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

// AWS that cannot be asked for long is a check that saw nothing; the watch goes on.
func TestTroubleWithAWS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := play(func(h float64) (verify.Report, error) {
			if h > 5 && h < 8 {
				return verify.Report{}, errors.New("no route")
			}
			return holds(), nil
		})
		out, err := Run(t.Context(), g.Config)
		if err != nil || out.Verdict != verify.Fixed || out.Checks != 4 {
			t.Errorf("%v %+v", err, out)
		}
		g.says(t, "not everything could be: no route")
	})
}

// The watch dies at every entry of its journal and is started again: nothing is lost, and what was surely told is not told again.
func TestDiesAnywhere(t *testing.T) {
	reports := func(h float64) (verify.Report, error) {
		if h > 5 {
			return broken("a"), nil
		}
		return holds(), nil
	}
	for at := 1; at <= 8; at++ {
		synctest.Test(t, func(t *testing.T) {
			g := play(reports)
			g.book.dies = at
			if _, err := Run(t.Context(), g.Config); !errors.Is(err, errDead) {
				t.Fatalf("%d: %v", at, err)
			}
			g.book.dies = 0
			out, err := Run(t.Context(), g.Config)
			if err != nil || out.Verdict != verify.Broken || out.Checks != 4 {
				t.Errorf("%d: %v %+v", at, err, out)
			}
			told := 0
			for _, s := range g.ear.heard {
				if s == "trouble a" {
					told++
				}
			}
			if want := map[int]int{4: 2}[at]; told != max(want, 1) {
				t.Errorf("died at %d: told %d times: %v", at, told, g.ear.heard)
			}
		})
	}
}

func TestCtrlC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := play(func(float64) (verify.Report, error) { return holds(), nil })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
		defer cancel()
		if _, err := Run(ctx, g.Config); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if len(g.book.entries) != 4 {
			t.Errorf("%d entries", len(g.book.entries))
		}
	})
}

// Whoever cannot be told stops nothing, and that is said.
func TestDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := play(func(float64) (verify.Report, error) { return broken("a"), nil })
		other := &ear{}
		g.ear.deaf, g.Notify = true, append(g.Notify, other)
		if _, err := Run(t.Context(), g.Config); err != nil {
			t.Fatal(err)
		}
		g.says(t, "ear could not be told: deaf")
		if len(other.heard) != 2 {
			t.Errorf("the other heard %v", other.heard)
		}
	})
}

const secret = "T00000000/B00000000/canary"

// A webhook gets the notice, is tried again when it is busy, and its path, a secret, appears in no name and no error.
func TestHook(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []int
		posts   int
		ok      bool
	}{
		"at once":   {[]int{200}, 1, true},
		"busy once": {[]int{503, 200}, 2, true},
		"slow down": {[]int{429, 204}, 2, true},
		"busy":      {[]int{500, 500, 500, 500}, 3, false},
		"refused":   {[]int{404}, 1, false},
		"moved":     {[]int{302}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var bodies []string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				b, _ := io.ReadAll(r.Body)
				w.Header().Set("Location", "http://127.0.0.1:1/"+secret)
				w.WriteHeader(tt.answers[len(bodies)])
				bodies = append(bodies, string(b))
			}))
			defer srv.Close()
			for _, prefix := range []string{"", "slack:"} {
				bodies = nil
				n, err := Parse(prefix+srv.URL+"/"+secret, nil)
				if err != nil {
					t.Fatal(err)
				}
				n.(*hook).wait = time.Millisecond
				err = n.Notify(t.Context(), Notice{Schema: NoticeSchema, Run: "r", Kind: Trouble, Text: "it is broken"})
				n.(*hook).client.CloseIdleConnections()
				if (err == nil) != tt.ok || len(bodies) != tt.posts {
					t.Errorf("%v after %d posts", err, len(bodies))
				}
				if strings.Contains(fmt.Sprint(n.Name(), err), "canary") {
					t.Errorf("the secret is told: %s %v", n.Name(), err)
				}
				if !strings.Contains(bodies[0], "it is broken") || strings.Contains(bodies[0], `"text":"unjam`) != (prefix != "") {
					t.Errorf("posted %s", bodies[0])
				}
			}
		})
	}
	n, err := Parse("http://127.0.0.1:1/"+secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	n.(*hook).wait = time.Millisecond
	if err := n.Notify(t.Context(), Notice{}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestParse(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://hooks.example.com/x": true, "slack:https://hooks.slack.com/services/x": true, "sns:arn:aws:sns:eu-west-1:111111111111:oncall": true,
		"http://localhost:8080/x": true, "http://[::1]/": true,
		"http://hooks.example.com/canary": false, "slack:http://hooks.slack.com/canary": false, "ftp://x/canary": false, "canary": false, "": false,
		"sns:canary": false, "sns:arn:aws:sqs:eu-west-1:111111111111:canary": false, "https:///canary": false, "slack:canary": false, "https://%zz/canary": false,
	} {
		_, err := Parse(text, nil)
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTopic(t *testing.T) {
	var got []string
	n, err := Parse("sns:arn:aws:sns:eu-west-1:111111111111:oncall", func(_ context.Context, arn, subject, message string) error {
		got = []string{arn, subject, message}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Notify(t.Context(), Notice{Run: "20261123-0312-x7k2", Kind: Trouble, Text: "it is broken"}); err != nil {
		t.Fatal(err)
	}
	if got[0] != n.Name() || len(got[1]) > 100 || !strings.HasPrefix(got[2], "it is broken\n") {
		t.Errorf("published %q", got)
	}
}
