package world_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codestarconnections"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

// behindVPC is a server behind a VPC, a host there, a connection and a pipeline that works.
const behindVPC = `# A server behind a VPC
account 111111111111 regions=eu-west-1
vpc core cidr=10.1.0.0/16 dns=10.1.0.53
vpc spare cidr=10.2.0.0/16
group hosts vpc=core out=443
group stranger vpc=spare
ghes corp owner=gustav repos=corp/app url=https://git.corp.example address=10.9.0.10
subnet core-a vpc=core cidr=10.1.1.0/24 zone=a
subnet core-b vpc=core cidr=10.1.2.0/24 zone=b
subnet core-c vpc=core cidr=10.1.3.0/24 zone=a
nacl edge vpc=core subnets=core-a,core-b
role Admin allow=*
caller ada you role=Admin
-20d ada creates host inner provider=ghes url=https://git.corp.example vpc=core subnets=core-a,core-b groups=hosts
-19d ada sets up inner as=gustav
-19d ada creates connection conn host=inner
-19d ada completes handshake conn as=gustav org=corp
-18d ada creates pipeline app connection=conn repo=corp/app stages=Build
-17d gustav pushes corp/app
`

// TestWhatBreaksAHost breaks a working host in each way, starts the pipeline, and looks at what came of it.
func TestWhatBreaksAHost(t *testing.T) {
	for _, x := range []struct {
		name, acts string
		stopped    bool   // the source action fails
		status     string // of the connection, hours later
	}{
		{"nothing", "", false, "AVAILABLE"},
		{"egress closed", "-3d ada closes hosts egress 443", true, "AVAILABLE"},
		{"opened again", "-3d ada closes hosts egress 443\n-2d ada opens hosts egress 443", false, "AVAILABLE"},
		{"network ACL denies out", "-3d ada denies edge egress 443 at=10.9.0.0/24", true, "AVAILABLE"},
		{"network ACL denies answers", "-3d ada denies edge ingress 1024-65535", true, "AVAILABLE"},
		{"network ACL denies another port", "-3d ada denies edge egress 22", false, "AVAILABLE"},
		{"route dropped", "-3d ada drops route core-a 10.9.0.0/24\n-3d ada drops route core-a 0.0.0.0/0", true, "AVAILABLE"},
		{"DNS changed", "-3d ada changes dns core 10.1.0.54", true, "ERROR"},
		{"private CA", "-3d gustav changes certificate corp tls=private-ca", true, "ERROR"},
		{"certificate expired", "-3d gustav changes certificate corp cert-expires=-2d", true, "ERROR"},
		{"certificate not expired yet", "-3d gustav changes certificate corp cert-expires=+20d", false, "AVAILABLE"},
		{"wrong name", "-3d gustav changes certificate corp cert-name=other.example", true, "ERROR"},
		{"mended", "-3d gustav changes certificate corp cert-name=other.example\n-2d ada starts app\n-1d gustav changes certificate corp", false, "AVAILABLE"},
		{"other DNS and back", "-3d ada changes dns core 10.1.0.54\n-2d ada changes dns core 10.1.0.53", false, "AVAILABLE"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w := load(t, "vpc.world", []byte(behindVPC+x.acts+"\n-5h ada starts app\n"))
				c, _ := l.Connections.Lookup(w.ARN("conn"))
				if c.Status != x.status {
					t.Errorf("connection is %s, want %s", c.Status, x.status)
				}
				_, err := codepipeline.NewFromConfig(sdk(l, w, "ada")).GetPipeline(t.Context(), &codepipeline.GetPipelineInput{Name: aws.String("app")})
				if err != nil {
					t.Fatal(err)
				}
				got := lastSource(t, l, w)
				if strings.Contains(got, "[GitHub Enterprise Server] Could not connect") != x.stopped {
					t.Errorf("source action: %q, stopped %v", got, x.stopped)
				}
			})
		})
	}
}

// lastSource is the state of the pipeline's source action: its error message, else its status.
func lastSource(t *testing.T, l *lab.Lab, w *world.World) string {
	t.Helper()
	out, err := codepipeline.NewFromConfig(sdk(l, w, "ada")).GetPipelineState(t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("app")})
	if err != nil {
		t.Fatal(err)
	}
	last := out.StageStates[0].ActionStates[0].LatestExecution
	if last.ErrorDetails != nil {
		return *last.ErrorDetails.Message
	}
	return string(last.Status)
}

func sdk(l *lab.Lab, w *world.World, name string) aws.Config {
	cfg := aws.Config{Region: w.DefaultRegion, HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1}
	for _, k := range w.Callers {
		if k.Name == name {
			cfg.Credentials = credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken)
		}
	}
	return cfg
}

// TestHostsThatCannotBeSetUp has each reason, and the repair of one.
func TestHostsThatCannotBeSetUp(t *testing.T) {
	for _, x := range []struct{ name, line, want string }{
		{"one zone twice", "vpc=core subnets=core-a,core-c groups=hosts", "same Availability Zone"},
		{"another VPC's group", "vpc=core subnets=core-a groups=stranger", "does not belong"},
		{"another VPC's subnet", "vpc=spare subnets=core-a groups=stranger", "does not belong"},
		{"second in the VPC", "vpc=core subnets=core-a groups=hosts", "one host at a time"},
	} {
		synctest.Test(t, func(t *testing.T) {
			text := behindVPC
			if x.name != "second in the VPC" {
				text = text[:strings.Index(text, "-20d")]
			}
			l, w := load(t, "vpc.world", []byte(text+"-9d ada creates host late provider=ghes url=https://git.corp.example "+x.line+"\n"))
			h, _ := l.Connections.Host(w.ARN("late"))
			if h.Status != "VPC_CONFIG_FAILED_INITIALIZATION" || !strings.Contains(h.StatusMessage, x.want) {
				t.Errorf("%s: %s %q, want %q", x.name, h.Status, h.StatusMessage, x.want)
			}
			if x.name != "second in the VPC" {
				if err := w.Act("ada updates host late vpc=core subnets=core-a,core-b groups=hosts"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Minute)
				l.Cloud.Within(func() {})
				if h, _ := l.Connections.Host(w.ARN("late")); h.Status != "PENDING" || h.StatusMessage != "" {
					t.Errorf("%s, repaired: %s %q", x.name, h.Status, h.StatusMessage)
				}
			}
		})
	}
}

// TestNoSetUpOverABrokenPath: neither a host nor its connection becomes AVAILABLE while the server does not answer.
func TestNoSetUpOverABrokenPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := behindVPC[:strings.Index(behindVPC, "-19d")]
		l, w := load(t, "vpc.world", []byte(text+"-9d ada closes hosts egress 443\n"))
		if err := w.Act("ada sets up inner as=gustav"); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("set-up: %v", err)
		}
		if h, _ := l.Connections.Host(w.ARN("inner")); h.Status != "PENDING" {
			t.Errorf("host is %s", h.Status)
		}
		for _, act := range []string{"ada opens hosts egress 443", "ada sets up inner as=gustav", "ada creates connection conn host=inner", "ada closes hosts egress 443"} {
			if err := w.Act(act); err != nil {
				t.Fatal(act, err)
			}
		}
		if err := w.Act("ada completes handshake conn as=gustav org=corp"); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("handshake: %v", err)
		}
	})
}

// TestAHostIsForItsDNSForGood: only a new host learns of other DNS servers.
func TestAHostIsForItsDNSForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "vpc.world", []byte(behindVPC+`-9d ada changes dns core 10.1.0.54
-8d ada deletes conn
-8d ada deletes inner
-7d ada creates host again provider=ghes url=https://git.corp.example vpc=core subnets=core-a,core-b groups=hosts
-6d12h ada sets up again as=gustav
-6d11h ada creates connection conn host=again
-6d10h ada completes handshake conn as=gustav org=corp
-6d ada updates app connection=conn
-5h ada starts app
`))
		if got := lastSource(t, l, w); got != "Succeeded" {
			t.Errorf("source action: %s", got)
		}
	})
}

// TestCallersInAVPC calls AWS with real clients from inside a VPC.
func TestCallersInAVPC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := load(t, "vpc.world", []byte(behindVPC+`endpoint api vpc=core service=codestar-connections.api
endpoint tokens vpc=core service=sts
endpoint pipes vpc=core service=codepipeline allow=codepipeline:Get*
vpc deaf cidr=10.3.0.0/16 dns-support=no
caller inside role=Admin vpc=core
caller sealed role=Admin vpc=core only=yes
caller lost role=Admin vpc=deaf only=yes
`))
		ctx := t.Context()
		_, err := codepipeline.NewFromConfig(sdk(l, w, "inside")).StartPipelineExecution(ctx, &codepipeline.StartPipelineExecutionInput{Name: aws.String("app")})
		if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") || !strings.HasSuffix(err.Error(), "because no VPC endpoint policy allows the codepipeline:StartPipelineExecution action") {
			t.Errorf("refused by the endpoint: %v", err)
		}
		before := len(eventsNamed(l, "StartPipelineExecution"))
		if before != 0 {
			t.Errorf("%d events of a call that the endpoint refused", before)
		}
		if _, err := codepipeline.NewFromConfig(sdk(l, w, "inside")).GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: aws.String("app")}); err != nil {
			t.Error(err)
		}
		if _, err := codestarconnections.NewFromConfig(sdk(l, w, "sealed")).ListConnections(ctx, nil); err != nil {
			t.Error("the older name:", err)
		}
		if all := eventsNamed(l, "ListConnections"); len(all) != 1 || all[0] != w.ARN("api") {
			t.Errorf("the endpoint of the event: %q, want %q", all, w.ARN("api"))
		}
		start := time.Now()
		_, err = codeconnections.NewFromConfig(sdk(l, w, "sealed")).ListConnections(ctx, nil)
		var dial *net.OpError
		if !errors.As(err, &dial) || dial.Op != "dial" || !dial.Timeout() || time.Since(start) < 30*time.Second {
			t.Errorf("the newer name: %v after %v", err, time.Since(start))
		}
		_, err = sts.NewFromConfig(sdk(l, w, "lost")).GetCallerIdentity(ctx, nil)
		var dns *net.DNSError
		if !errors.As(err, &dns) || !dns.IsNotFound || dns.Name != "sts.eu-west-1.amazonaws.com" {
			t.Errorf("without DNS: %v", err)
		}
		out, err := sts.NewFromConfig(sdk(l, w, "sealed")).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(w.ARN("Admin")), RoleSessionName: aws.String("next")})
		if err != nil {
			t.Fatal(err)
		}
		cfg := sdk(l, w, "sealed")
		cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := codeconnections.NewFromConfig(cfg).ListConnections(short, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a session begun in the VPC gets out of it: %v", err)
		}
	})
}

// eventsNamed lists the VPC endpoints of the events of a name, "" for the internet.
func eventsNamed(l *lab.Lab, name string) []string {
	var all []string
	l.Cloud.Within(func() {
		for _, e := range l.Cloud.Events("111111111111", "eu-west-1") {
			if e.Name == name && e.Time.After(time.Now().Add(-time.Hour)) {
				all = append(all, e.Origin.Endpoint)
			}
		}
	})
	return all
}

// TestNetworkLinesAreChecked: what is mistyped is refused with the line's number.
func TestNetworkLinesAreChecked(t *testing.T) {
	for line, want := range map[string]string{
		"vpc core cidr=10.8.0.0/16":                                  "taken",
		"vpc other cidr=10.8.0.1/16":                                 "no block",
		"subnet x vpc=nowhere cidr=10.1.9.0/24 zone=a":               `no vpc called "nowhere"`,
		"subnet x vpc=core cidr=10.8.9.0/24 zone=a":                  "not in the VPC's",
		"subnet x vpc=core cidr=10.1.9.0/24 zone=us-east-1a":         "zone=",
		"subnet x vpc=core cidr=10.1.9.0/24 zone=a routes=anywhere":  "routes=",
		"group x vpc=core in=https":                                  "no ports",
		"group x vpc=core in=443@later":                              `no group called "later"`,
		"nacl x vpc=core subnets=missing":                            `no subnet called "missing"`,
		"endpoint x vpc=core service=webmail":                        "no endpoints",
		"caller x role=Admin vpce=core":                              "no endpoint",
		"caller x role=Admin only=yes":                               "only=yes goes with",
		"-1d ada closes hosts egress 8443":                           "no such rule",
		"-1d ada closes hosts sideways 443":                          "neither ingress nor egress",
		"-1d gustav changes certificate nobody":                      "no server",
		"-1d ada changes certificate corp as=gustav tls=self-signed": "tls=",
	} {
		synctest.Test(t, func(t *testing.T) {
			text := []byte(behindVPC + line + "\n")
			_, err := world.Load(lab.New(), "x.world", text, time.Now())
			at := fmt.Sprintf("x.world:%d: ", bytes.Count(text, []byte("\n")))
			if err == nil || !strings.HasPrefix(err.Error(), at) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", line, err)
			}
		})
	}
}
