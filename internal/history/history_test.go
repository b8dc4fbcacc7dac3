package history_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

const branch = "stages/Source/actions/Source/configuration/BranchName"

// stage is a pipeline that a stack owns, in an account with a recorder; somebody changes its branch in the console.
const stage = `# A change past the stack
account 111111111111 regions=eu-west-1,us-east-1
recorder regions=eu-west-1 actions=full
github acme owner=olga members=ada repos=acme/web:main:develop
role Cfn for=cloudformation allow=*
role Admin allow=*
role Web for=codepipeline allow=s3:*,codebuild:*,iam:PassRole,use-connection
caller cfn role=Cfn session=AWSCloudFormation agent=cloudformation stack=web-ci
caller ada you role=Admin session=ada@acme.example agent=console
-60d ada creates connection team-github provider=GitHub
-60d ada completes handshake team-github as=olga org=acme
-59d cfn creates pipeline web connection=team-github repo=acme/web stages=Build role=Web
-20d olga pushes acme/web main "works"
`

const edited = stage + `
-3d ada updates web stages=Build,Deploy
-2d ada updates web branch=mian
-1d ada starts web
`

// first plays a world and gives its most important finding.
func first(t *testing.T, text string, ask app.Ask, tweak ...func(*cloud.Cloud)) fault.Finding {
	t.Helper()
	var f fault.Finding
	synctest.Test(t, func(t *testing.T) {
		c := testkit.Start(t, "history", []byte(text), tweak...)
		target, err := fact.ParseTarget("web")
		if err != nil {
			t.Fatal(err)
		}
		ask.Targets = []fact.Target{target}
		d, err := c.App.Diagnose(t.Context(), ask, faults.All(), nil)
		if err != nil || len(d.Report.Findings) == 0 {
			t.Fatalf("nothing found: %v", err)
		}
		f = d.Report.Findings[0]
	})
	return f
}

func denied(service string) func(*cloud.Cloud) {
	return func(c *cloud.Cloud) {
		c.Injections = append(c.Injections, &cloud.Injection{Service: service, Kind: lab.Denied})
	}
}

// The change that broke it comes first, with who, with what, before and after, and past whom.
func TestTheChangeThatBrokeIt(t *testing.T) {
	f := first(t, edited, app.Ask{})
	if len(f.Changes) < 2 {
		t.Fatalf("changes %+v", f.Changes)
	}
	c := f.Changes[0]
	if c.Field != branch || c.Before != "main" || c.After != "mian" || c.Who != "Admin/ada@acme.example" || c.With != "console" || c.Outside != "stack web-ci" || c.Class != fault.Verified || c.At == "" {
		t.Errorf("first change %+v", c)
	}
	for _, other := range f.Changes[1:] {
		if !strings.HasPrefix(other.Field, "stages/Deploy") {
			t.Errorf("another change: %+v", other)
		}
		if other.At >= c.At {
			t.Errorf("%s of %s is not older than the first", other.Field, other.At)
		}
	}
}

// Without CloudTrail nobody is named, and AWS Config still tells when; without either the change stands without a time.
func TestWithoutCloudTrail(t *testing.T) {
	f := first(t, edited, app.Ask{}, denied("cloudtrail"))
	c := f.Changes[0]
	if c.Field != branch || c.After != "mian" || c.Who != "" || c.At == "" {
		t.Errorf("change %+v", c)
	}
	f = first(t, edited, app.Ask{}, denied("cloudtrail"), denied("config"))
	for _, c := range f.Changes {
		if c.At != "" || c.Who != "" {
			t.Errorf("change %+v", c)
		}
	}
	if len(f.Changes) == 0 || f.Changes[0].Field != branch {
		t.Errorf("changes %+v", f.Changes)
	}
}

// Without the old versions of the definition the bodies in CloudTrail tell, as reported.
func TestWithoutVersions(t *testing.T) {
	old := func(c *cloud.Cloud) {
		c.Injections = append(c.Injections, &cloud.Injection{Service: "codepipeline", Operation: "GetPipeline", Kind: lab.Denied,
			Only: func(_ string, in map[string]any) bool { return in["version"] != nil }})
	}
	f := first(t, edited, app.Ask{}, old)
	if len(f.Changes) == 0 || f.Changes[0].Field != branch || f.Changes[0].Class != fault.Reported || f.Changes[0].Who == "" {
		t.Errorf("changes %+v", f.Changes)
	}
}

// The last drift detection counts, however old; a new one is made only when it is asked for.
func TestDrift(t *testing.T) {
	has := func(f fault.Finding, what string) bool {
		for _, c := range f.Changes {
			if c.Source.Operation == what && c.Before == "main" && c.After == "mian" && c.Outside == "stack web-ci" {
				return true
			}
		}
		return false
	}
	text := strings.Replace(edited, "-1d ada starts", "-30h ada detects drift web-ci\n-1d ada starts", 1)
	unseen := []func(*cloud.Cloud){denied("cloudtrail"), denied("config"), func(c *cloud.Cloud) {
		c.Injections = append(c.Injections, &cloud.Injection{Service: "codepipeline", Operation: "ListActionExecutions", Kind: lab.Denied})
	}}
	if f := first(t, text, app.Ask{}, unseen...); !has(f, "DescribeStackResourceDrifts") {
		t.Errorf("the last detection is not used: %+v", f.Changes)
	}
	if f := first(t, edited, app.Ask{}, unseen...); has(f, "DescribeStackResourceDrifts") {
		t.Error("a detection was made that nobody asked for")
	}
	if f := first(t, edited, app.Ask{Drift: true}, unseen...); !has(f, "DescribeStackResourceDrifts") {
		t.Errorf("--drift detected nothing: %+v", f.Changes)
	}
}

// A role that lost its permission shows as a change of the role; a refused call in the timeline says who, from where and why.
func TestChangeOfARole(t *testing.T) {
	f := first(t, stage+`
-2d ada grants Web allow=s3:*,iam:PassRole,use-connection name=inline
-1d ada starts web
`, app.Ask{})
	ok := false
	for _, c := range f.Changes {
		ok = ok || (c.What.Kind == "role" && c.What.Name == "Web" && c.Field == "PutRolePolicy" && c.Who == "Admin/ada@acme.example")
	}
	if !ok {
		t.Errorf("changes %+v", f.Changes)
	}
	told := ""
	for _, m := range f.Timeline {
		told += m.At + " " + m.What + "\n"
	}
	for _, want := range []string{"called PutRolePolicy with console", "Build/Build failed in run", "ended: Failed"} {
		if !strings.Contains(told, want) {
			t.Errorf("the timeline lacks %q:\n%s", want, told)
		}
	}
}

// A failure of the last minutes says that CloudTrail may not show all yet.
func TestTooYoung(t *testing.T) {
	f := first(t, strings.Replace(edited, "-1d ada starts", "-3m ada starts", 1), app.Ask{}, func(c *cloud.Cloud) { c.Trail.Delay = 5 * time.Minute })
	if n := len(f.Timeline); n == 0 || !strings.Contains(f.Timeline[n-1].What, "may not be whole") {
		t.Errorf("timeline %+v", f.Timeline)
	}
}

// What Terraform declares and what is live: the difference is marked with the resource's address.
func TestTerraform(t *testing.T) {
	text, err := os.ReadFile("testdata/state.json")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := testkit.Start(t, "history", []byte(strings.Replace(edited, "caller cfn role=Cfn session=AWSCloudFormation agent=cloudformation stack=web-ci", "caller cfn role=Admin session=tf agent=terraform", 1)))
		declared, err := c.App.Terraform("state.json", text)
		if err != nil {
			t.Fatal(err)
		}
		target, _ := fact.ParseTarget("web")
		d, err := c.App.Diagnose(t.Context(), app.Ask{Targets: []fact.Target{target}, Declared: declared}, faults.All(), nil)
		if err != nil {
			t.Fatal(err)
		}
		x := d.Report.Findings[0].Changes[0]
		if x.Field != branch || x.Outside != "aws_codepipeline.web" || x.After != "mian" {
			t.Errorf("change %+v", x)
		}
	})
}
