//go:build full

package fulltest

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/chromedp/chromedp"

	"github.com/unjam/unjam/lab/console"
)

// browser starts a headless Chromium with a profile of its own, for half a minute at most; it ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("find chromium: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the browser is gone, so that its profile can be removed
		cancel()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// see opens or clicks something, waits for an element of the page that follows and returns its text.
func see(t *testing.T, ctx context.Context, element string, acts ...chromedp.Action[chromedp.Void]) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, append(acts, chromedp.WaitVisible(chromedp.CSS(element)))...); err != nil {
		t.Fatalf("wait for %s: %v", element, err)
	}
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(element)))
	if err != nil {
		t.Fatalf("read %s: %v", element, err)
	}
	return strings.TrimSpace(text)
}

func click(element string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(element))
}

func (s *site) status() types.ConnectionStatus {
	s.t.Helper()
	arn := s.world.ARN("team-github")
	out, err := codeconnections.NewFromConfig(s.config(s.caller("ada"))).GetConnection(s.t.Context(), &codeconnections.GetConnectionInput{ConnectionArn: &arn})
	if err != nil {
		s.t.Fatal(err)
	}
	return out.Connection.ConnectionStatus
}

// TestHandshakeInBrowser follows the deep link of a PENDING connection and completes it as a person would; GetConnection
// says PENDING at every step before the last and AVAILABLE after it.
func TestHandshakeInBrowser(t *testing.T) {
	s, ctx := serve(t), browser(t)
	link := s.url + console.DeepLink(s.world.ARN("team-github")) + "?as=ada"
	if got := see(t, ctx, "#status", chromedp.Navigate(link)); got != "PENDING" {
		t.Fatalf("the page says %q", got)
	}
	see(t, ctx, "#connect", chromedp.SetValue(chromedp.CSS("#login"), "olga"), click("#update-pending"))
	if got := s.status(); got != types.ConnectionStatusPending {
		t.Errorf("half way GetConnection says %s", got)
	}
	if got := see(t, ctx, "#status", click("#connect")); got != "AVAILABLE" {
		t.Errorf("in the end the page says %q", got)
	}
	if got := s.status(); got != types.ConnectionStatusAvailable {
		t.Errorf("in the end GetConnection says %s", got)
	}
}

// TestDeniedInBrowser does the same as somebody whose policies do not let her: AWS's own words, and PENDING it stays.
func TestDeniedInBrowser(t *testing.T) {
	s, ctx := serve(t), browser(t)
	link := s.url + console.DeepLink(s.world.ARN("team-github")) + "?as=eve"
	if got := see(t, ctx, "#status", chromedp.Navigate(link)); got != "PENDING" {
		t.Fatalf("the page says %q", got)
	}
	got := see(t, ctx, "#error", click("#update-pending"))
	want := "User: " + s.caller("eve").ARN + " is not authorized to perform: codeconnections:"
	if !strings.HasPrefix(got, want) || !strings.Contains(got, "because no identity-based policy allows the codeconnections:") {
		t.Errorf("the page says %q, not %q...", got, want)
	}
	if got := s.status(); got != types.ConnectionStatusPending {
		t.Errorf("GetConnection says %s", got)
	}
}
