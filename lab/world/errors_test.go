package world_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

func readSelf(t *testing.T) string {
	t.Helper()
	var all []byte
	for _, name := range []string{"symptom_test.go", "suffix_test.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return string(all)
}

const smallStage = `account 111111111111 regions=eu-west-1
github acme owner=olga members=ada repos=acme/web
role Admin allow=*
role Viewer allow=read-connections
caller ada you role=Admin
caller vera role=Viewer
`

const pipelineLines = "-2d ada creates connection x\n-2d ada creates pipeline p connection=x repo=acme/web\n"

// TestErrorsNameFileLineAndReason: whoever writes a world learns where it is wrong and what would be right.
func TestErrorsNameFileLineAndReason(t *testing.T) {
	for _, tt := range []struct{ lines, want string }{
		{"acount 222222222222", `w.world:7: "acount" begins no line; lines begin with account, `},
		{"account 22", `w.world:7: 22 is not a new 12-digit account ID`},
		{"account 222222222222 regions=Ireland", `w.world:7: "Ireland" is no Region`},
		{"role", `w.world:7: the role's name is missing`},
		{"role X account=acme-tools", `w.world:7: there is no account "acme-tools"`},
		{"role X allow=everything", `w.world:7: "everything" is no action; write service:Action, * or one of the words connections,`},
		{"role X alow=*", `w.world:7: alow= is not known here; known: account= allow=`},
		{"role X allow=* allow=*", `w.world:7: allow= stands twice`},
		{"role X policy=<<END\n{}", `w.world:7: policy=<<END: no line END ends it`},
		{"role X policy='{'", `w.world:7: policy= is no JSON document`},
		{"role X policies=NoSuchPolicy", `w.world:7: attach policy arn:aws:iam::aws:policy/NoSuchPolicy: the lab has no such policy`},
		{"caller bob role=Nobody", `w.world:7: there is no role "Nobody" in account 111111111111`},
		{"caller bob you role=Admin", "w.world:7: there are two callers marked `you`: ada and bob"},
		{"caller bob role=Admin agent=cloudformation", `w.world:7: agent=cloudformation needs stack=NAME`},
		{"stack web", `w.world:7: resources= is missing: what the template of web holds`},
		{"stack web resources=Assets", `w.world:7: resources=Assets: write ID:TYPE, Assets:AWS::S3::Bucket for example`},
		{"stack web resources=A:AWS::Moon::Base", `w.world:7: declare stack web: the lab has no resource of type "AWS::Moon::Base"`},
		{"stack web resources=Data/A:AWS::S3::Bucket", `w.world:7: declare stack web: A is within Data, which is no nested stack above it`},
		{"-5d ada breaks resource web/A invalid", `w.world:7: no stack line is about "web"`},
		{"stack web resources=A:AWS::S3::Bucket\n-5d ada breaks resource web/B invalid", `w.world:8: hinder B: the template of web does not declare it`},
		{"stack web resources=A:AWS::S3::Bucket\n-5d ada breaks resource web/A sadly", `w.world:8: hinder A: "sadly" is none of name-taken, quota, invalid, gone, not-empty, slow`},
		{"-5d ada continues web", "w.world:7: what is continued? write `continues rollback STACK`"},
		{"-5d ada deploys web", "w.world:7: what is it about? write `deploys stack NAME`"},
		{"caller bob role=Admin expires=soon", `w.world:7: expires=: "soon" is no time`},
		{"github beta repos=beta/x", `w.world:7: owner= is missing`},
		{"github beta owner=olga repos=acme/x", `w.world:7: the repository "acme/x" is not one of beta`},
		{"set lag=2", `w.world:7: lag=: "2" is no time: write 90s, 5m, 3h, 21d or 1d12h`},
		{"set trail=maybe", `w.world:7: trail= is on or off, not "maybe"`},
		{"set page=none", `w.world:7: page= is a number`},
		{"inject broken", `w.world:7: "broken" is no kind of error`},
		{"inject denied nosuchservice", `w.world:7: the lab serves no "nosuchservice"`},
		{"inject denied codeconnections:MakeCoffee", `w.world:7: codeconnections has no operation "MakeCoffee" here`},
		{`-1d ada creates connection "team`, `w.world:7: a " is not closed`},
		{"-1d", `w.world:7: who acts is missing`},
		{"-1d ada", `w.world:7: what ada does is missing`},
		{"-1x ada starts web", `w.world:7: "1x" is no time`},
		{"-1d ada dances", `w.world:7: "dances" is nothing an actor does; the verbs are `},
		{"-1d ada creates castle x", `w.world:7: "castle" cannot be created by an act`},
		{"-1d bob creates connection x", `w.world:7: there is no caller "bob"`},
		{"-1d olga creates connection x", `w.world:7: olga has no credentials for AWS`},
		{"-1d ada deletes x", `w.world:7: there is no connection or host or pipeline called "x" by then`},
		{"-1d ada creates connection x provider=Gitea", `w.world:7: Validation: `},
		{"-1d ada creates connection x region=us-west-2", `w.world:7: account 111111111111 has no Region us-west-2 enabled`},
		{"-1d ada creates connection x extra", `w.world:7: "extra" is not understood here`},
		{"-1d vera creates connection x", `w.world:7: AccessDenied: User: arn:aws:sts::111111111111:assumed-role/Viewer/vera is not authorized`},
		{"-1d ada creates connection x expect=denied", `w.world:7: expect=denied, but nothing was refused`},
		{"-1d ada creates connection x provider=Gitea expect=denied", `w.world:7: expect=denied, but the answer was Validation: `},
		{"-2d ada creates connection x\n-1d ada begins handshake x as=olga", "w.world:8: the handshake of x was completed; say stop= or write `completes`"},
		{"-2d ada creates connection x\n-1d ada completes handshake x as=ada", `w.world:8: the handshake of x ends owner-needed, not completed`},
		{"-2d ada creates connection x\n-1d ada completes handshake x as=zoe", `w.world:8: nobody at a provider has the login "zoe"`},
		{"-2d ada creates connection x\n-1d vera completes handshake x as=olga", `w.world:8: AccessDenied: `},
		{"-2d ada creates connection x\n-1d ada breaks x", "w.world:8: only aws breaks things: write `aws breaks ...`"},
		{"-1d zoe pushes acme/web", `w.world:7: zoe has no login at a provider`},
		{"-1d olga pushes beta/web", `w.world:7: there is no organisation "beta"`},
		{"-1d olga pushes acme/nope", `w.world:7: push to acme/nope: `},
		{"-1d ada uninstalls acme", `w.world:7: only the owner of acme, olga, uninstalls its app`},
		{"-1d ada calls codeconnections", `w.world:7: "codeconnections" is no operation: write service:Operation`},
		{"-1d ada calls codeconnections:MakeCoffee", `w.world:7: the lab serves no codeconnections:MakeCoffee`},
		{"-1d ada grants Nobody allow=*", `w.world:7: there is no role "Nobody"`},
		{"-1d ada grants Viewer", `w.world:7: what is granted?`},
		{"-2d ada creates connection x\n-1d aws breaks x", "w.world:8: move connection "},
		{pipelineLines + "-1d ada approves pipeline p Build", `w.world:9: nothing waits for approval in stage Build of p`},
		{pipelineLines + "-1d aws breaks stage p Bild", `w.world:9: p has no stage "Bild"`},
		{pipelineLines + "-1d ada retries p Build", `w.world:9: stage Build of p has no execution yet`},
		{pipelineLines + "-1d ada updates p connection=y", `w.world:9: there is no connection called "y" by then`},
		{pipelineLines + "-1d ada completes handshake p", `w.world:9: p is a pipeline, not a connection`},
		{pipelineLines + "-1d vera starts p", `w.world:9: AccessDenied: `},
		{"# want connection-pending", ``}, // under the last line of the stage: taken
	} {
		t.Run(tt.lines, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := world.Load(lab.New(), "w.world", []byte(smallStage+tt.lines+"\n"), time.Now())
				if tt.want == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
					t.Errorf("got  %v\nwant %s...", err, tt.want)
				}
			})
		})
	}
}

func TestEmptyAndForeignFiles(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "only a comment": "# nothing", "indented first": "  role X", "binary": "\x00\x01\x02",
		"want first": "# want connection-pending\naccount 111111111111", "an option first": "allow=*", "HTML": "<!doctype html>\n<p>",
	} {
		_, err := world.Load(lab.New(), "w.world", []byte(text), time.Now())
		if err == nil || !regexp.MustCompile(`^w\.world:\d+: `).MatchString(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenUnknown(t *testing.T) {
	for _, name := range []string{"nope", "../world.go", ""} {
		if _, err := world.Open(name); err == nil {
			t.Errorf("Open(%q) gave no error", name)
		}
	}
}

func TestWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w := load(t, "w.world", []byte(smallStage+`-2d ada creates connection x  # want connection-pending cause=unknown since="long ago" extra
# want clear other subject=y
`))
		if len(w.Wants) != 2 {
			t.Fatalf("wants: %+v", w.Wants)
		}
		a, b := w.Wants[0], w.Wants[1]
		if a.Line != 7 || a.Verdict != "found" || a.Code != "connection-pending" || a.Cause != "unknown" || a.Subject != "x" ||
			a.More["since"] != "long ago" || len(a.Words) != 1 || a.Words[0] != "extra" {
			t.Errorf("first want: %+v", a)
		}
		if b.Line != 8 || b.Verdict != "clear" || b.Code != "other" || b.Subject != "y" {
			t.Errorf("second want: %+v", b)
		}
	})
}

// TestLater: acts after the present happen while the lab runs, and their failures are kept.
func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "w.world", []byte(smallStage+`-2d ada creates connection x
+5m ada completes handshake x as=olga
+6m vera deletes x
`))
		if got := connectionStatus(t, l, w.ARN("x")); got != "PENDING" {
			t.Errorf("before its time the connection is %s", got)
		}
		time.Sleep(7 * time.Minute)
		if got := connectionStatus(t, l, w.ARN("x")); got != "AVAILABLE" {
			t.Errorf("after its time the connection is %s", got)
		}
		if late := w.Late(); len(late) != 1 || !strings.Contains(late[0].Error(), "AccessDenied") {
			t.Errorf("late: %v", late)
		}
	})
}

// TestSameWorldTwice: the same text gives the same ARNs and keys, so that examples and goldens hold.
func TestSameWorldTwice(t *testing.T) {
	var keys, arns [2]string
	for i := range 2 {
		synctest.Test(t, func(t *testing.T) {
			_, w := load(t, "w.world", []byte(smallStage+"-2d ada creates connection x\n"))
			keys[i], arns[i] = w.Default.AccessKeyID, w.ARN("x")
		})
	}
	if keys[0] != keys[1] || arns[0] != arns[1] || arns[0] == "" || !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(keys[0]) {
		t.Errorf("keys %v, ARNs %v", keys, arns)
	}
}

// FuzzLoad: no text makes Load panic, and every refusal names its line.
func FuzzLoad(f *testing.F) {
	for _, name := range world.Worlds() {
		text, err := world.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("account 111111111111\nrole X allow=* policy=<<A\nA\n-1d x calls a:b c=d")
	located := regexp.MustCompile(`^w\.world:\d+: `)
	now := time.Now()
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := world.Load(lab.New(), "w.world", []byte(text), now); err != nil && !located.MatchString(err.Error()) {
			t.Errorf("no line in %q", err)
		}
	})
}
