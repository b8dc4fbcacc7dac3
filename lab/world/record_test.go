package world_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
	"github.com/unjam/unjam/lab/world"
)

// TestRecorderAndDriftLinesThatAreRefused: what no recorder can do, and what no stack is.
func TestRecorderAndDriftLinesThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for text, want := range map[string]string{
			"recorder types=AWS::CodeConnections::Connection\n":   `the lab records no "AWS::CodeConnections::Connection"`,
			"recorder regions=ap-south-1\n":                       "no Region ap-south-1",
			"recorder actions=some\n":                             "actions= is full or none",
			"-1d aws stops recorder\n":                            "none is on",
			"recorder\n-1d aws stops recorder region=us-west-2\n": "none is on",
			"-1d aws starts web\n":                                "what of its own aws starts is a recorder",
			"-1d ada detects drift none\n":                        "does not exist",
			"-1d ada detects rust\n":                              "detects drift STACK",
		} {
			_, err := world.Load(lab.New(), "w.world", []byte(smallStage+text), time.Now())
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %s", text, err, want)
			}
		}
	})
}

// TestRecorderStopsEverywhereUnlessARegionIsNamed, and starts again with its own setting.
func TestRecorderStopsEverywhereUnlessARegionIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		two := "account 111111111111 regions=us-east-1,eu-west-1\nrole Admin allow=*\ncaller ada role=Admin\nrecorder regions=us-east-1,eu-west-1 daily=yes\n"
		for acts, want := range map[string]string{
			"":                         "on on",
			"-2d aws stops recorder\n": "off off",
			"-2d aws stops recorder region=eu-west-1\n":                          "on off",
			"-2d aws stops recorder\n-1d aws starts recorder region=us-east-1\n": "on off",
			"-2d aws stops recorder\n-1d aws starts recorder\n":                  "on on",
		} {
			l, _ := load(t, "w.world", []byte(two+acts))
			var got []string
			for _, region := range []string{"us-east-1", "eu-west-1"} {
				out := serve(t, l, "config", "DescribeConfigurationRecorderStatus", region, nil)
				on := out["ConfigurationRecordersStatus"].([]any)[0].(map[string]any)["recording"]
				got = append(got, map[any]string{true: "on", false: "off"}[on])
				mode := serve(t, l, "config", "DescribeConfigurationRecorders", region, nil)["ConfigurationRecorders"].([]any)[0].(map[string]any)["recordingMode"]
				if mode.(map[string]any)["recordingFrequency"] != "DAILY" {
					t.Errorf("after %q the recorder is no longer daily", acts)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("after %q: %v, want %s", acts, got, want)
			}
		}
	})
}

// serve makes a call as the account's root user.
func serve(t *testing.T, l *lab.Lab, service, op, region string, in map[string]any) (out map[string]any) {
	t.Helper()
	l.Cloud.Within(func() {
		var err error
		out, err = l.Cloud.Serve(&cloud.Request{Service: service, Operation: op, Region: region, In: in, Caller: iam.RootPrincipal("111111111111")})
		if err != nil {
			t.Fatal(err)
		}
	})
	return out
}
