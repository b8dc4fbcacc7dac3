package world_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

// load loads a world on the bubble's clock.
func load(t *testing.T, name string, text []byte) (*lab.Lab, *world.World) {
	t.Helper()
	l := lab.New()
	w, err := world.Load(l, name, text, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return l, w
}

// open loads a world that comes with the lab and lets five minutes pass, so that what is under way ends.
func open(t *testing.T, name string) (*lab.Lab, *world.World) {
	t.Helper()
	text, err := world.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	l, w := load(t, name+".world", text)
	time.Sleep(5 * time.Minute)
	return l, w
}

func TestEveryWorldLoads(t *testing.T) {
	names := world.Worlds()
	if len(names) < 20 {
		t.Fatalf("%d worlds, want at least 20", len(names))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, w := open(t, name)
				if w.Title == "" || w.Name != name || w.DefaultRegion == "" {
					t.Errorf("title %q, name %q, default Region %q", w.Title, w.Name, w.DefaultRegion)
				}
				text, _ := world.Open(name)
				if w.Default == nil || !strings.Contains(string(text), "caller "+w.Default.Name+" you") {
					t.Errorf("no caller is marked `you`")
				}
				if len(w.Wants) == 0 {
					t.Error("the world wants nothing")
				}
				for _, want := range w.Wants {
					if want.Code == "" || w.ARN(want.Subject) == "" {
						t.Errorf("want of line %d: code %q, subject %q with ARN %q", want.Line, want.Code, want.Subject, w.ARN(want.Subject))
					}
				}
				if late := w.Late(); len(late) > 0 {
					t.Errorf("late: %v", late)
				}
			})
		})
	}
}

// TestEveryWorldLoadsUnkindly: no world depends on reads that see every write at once, on long pages or on events.
func TestEveryWorldLoadsUnkindly(t *testing.T) {
	for _, name := range world.Worlds() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text, err := world.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				l, _ := load(t, name, append(text, "set lag=5s page=1 handshakes=off trail-delay=15m latency=50ms\n"...))
				if c := l.Cloud; c.Lag != 5*time.Second || c.PageSize != 1 || !c.Trail.NoHandshake || c.Trail.Delay != 15*time.Minute || c.Latency != 50*time.Millisecond {
					t.Errorf("settings were not taken: %+v %v %v", c.Trail, c.Lag, c.Latency)
				}
			})
		})
	}
}

// TestWorldsStateNoSymptoms reads the texts: no world names a status, an error text or an event.
func TestWorldsStateNoSymptoms(t *testing.T) {
	symptom := regexp.MustCompile(`(?i)status=|PENDING|AVAILABLE|ERROR|not authorized|AccessDenied|Failed`)
	for _, name := range world.Worlds() {
		text, err := world.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range strings.Split(string(text), "\n") {
			statement, _, _ := strings.Cut(row, "#")
			if m := symptom.FindString(statement); m != "" {
				t.Errorf("%s:%d states the symptom %q", name, i+1, m)
			}
		}
	}
}

// TestFormatExamples loads every example of the format's documentation that is a whole world, and every other one on
// the stage that the documentation sets for it.
func TestFormatExamples(t *testing.T) {
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```(world|world-stage|world-part|world-wrong)\n(.*?)^```").FindAllStringSubmatch(string(doc), -1)
	stage, seen := "", map[string]int{}
	for i, b := range blocks {
		kind, text := b[1], b[2]
		seen[kind]++
		if kind == "world-stage" {
			stage = text
		}
		t.Run(fmt.Sprintf("%s-%d", kind, i+1), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole := text
				if kind == "world-part" {
					whole = stage + text
				}
				if kind != "world-wrong" {
					load(t, "example.world", []byte(whole))
					return
				}
				_, err := world.Load(lab.New(), "example.world", []byte(stage+text), time.Now())
				if err == nil || !regexp.MustCompile(`^example\.world:\d+: `).MatchString(err.Error()) {
					t.Errorf("this example must be refused, but: %v", err)
				}
			})
		})
	}
	if seen["world"] < 2 || seen["world-part"] < 10 || seen["world-wrong"] < 3 {
		t.Errorf("examples found: %v", seen)
	}
}

// TestActNow: a loaded world can be acted on; the act is checked and happens at the lab's present.
func TestActNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := open(t, "never-attempted-cloudformation")
		if err := w.Act("ada completes handshake team-github as=olga org=acme"); err != nil {
			t.Fatal(err)
		}
		c, ok := l.Connections.Lookup(w.ARN("team-github"))
		if !ok || c.Status != "AVAILABLE" {
			t.Errorf("after the handshake: %v, status %s", ok, c.Status)
		}
		for _, wrong := range []string{"", "ada strats web", "ada starts nothing", "ada starts web\nada starts web", `ada starts "web`} {
			if err := w.Act(wrong); err == nil || regexp.MustCompile(`^\d+:`).MatchString(err.Error()) {
				t.Errorf("act %q: error %v, want one without a line number", wrong, err)
			}
		}
	})
}
