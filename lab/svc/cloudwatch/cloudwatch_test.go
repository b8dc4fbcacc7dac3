package cloudwatch_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
)

const account = "111111111111"

// client is CloudWatch's own client on a lab, as a user who may do what the policy's statement says.
func client(t *testing.T, l *lab.Lab, name, region, statement string) *sdk.Client {
	t.Helper()
	k := &cloud.Caller{Name: name, AccessKeyID: "AKIALAB" + strings.ToUpper(name), SecretAccessKey: "secret"}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: account})
		if _, err := l.IAM.CreateUser(account, name, "/"); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutUserPolicy(account, name, "own", `{"Version":"2012-10-17","Statement":`+statement+`}`); err != nil {
			t.Fatal(err)
		}
		k.Principal = l.IAM.UserPrincipal(account, name)
		l.Cloud.AddCaller(k)
	})
	return sdk.NewFromConfig(aws.Config{Region: region, HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, "")})
}

const everything = `{"Effect":"Allow","Action":"cloudwatch:*","Resource":"*"}`

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func datum(name string, value float64, dimensions ...string) types.MetricDatum {
	d := types.MetricDatum{MetricName: &name, Value: &value, Unit: types.StandardUnitCount}
	for i := 0; i < len(dimensions); i += 2 {
		d.Dimensions = append(d.Dimensions, types.Dimension{Name: &dimensions[i], Value: &dimensions[i+1]})
	}
	return d
}

// TestClientOfAWS publishes and reads back with AWS's own client, which speaks CBOR; what is large it compresses.
func TestClientOfAWS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lab.New()
		v := apimodel.Attach(t, l)
		c, ctx := client(t, l, "ada", "eu-west-1", everything), t.Context()
		many := []types.MetricDatum{datum("Repairs", 1, "Pipeline", "web"), datum("Repairs", 2, "Pipeline", "web"), datum("Repairs", 5, "Pipeline", "api")}
		for i := range 500 {
			many = append(many, datum(fmt.Sprint("Filler", i), 1))
		}
		if _, err := c.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("Unjam"), MetricData: many}); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		out, err := c.GetMetricStatistics(ctx, &sdk.GetMetricStatisticsInput{Namespace: aws.String("Unjam"), MetricName: aws.String("Repairs"), Period: aws.Int32(3600),
			StartTime: aws.Time(now.Add(-time.Hour)), EndTime: aws.Time(now.Add(time.Hour)), Statistics: []types.Statistic{types.StatisticSum, types.StatisticSampleCount, types.StatisticMaximum},
			Dimensions: []types.Dimension{{Name: aws.String("Pipeline"), Value: aws.String("web")}}})
		if err != nil {
			t.Fatal(err)
		}
		if p := out.Datapoints; len(p) != 1 || *p[0].Sum != 3 || *p[0].SampleCount != 2 || *p[0].Maximum != 2 || p[0].Average != nil || !p[0].Timestamp.Equal(now.Truncate(time.Hour)) {
			t.Errorf("statistics: %+v", p)
		}
		l.Cloud.Within(func() {
			if got := l.Metrics.Data("Unjam"); len(got) != 503 || got[2].Dimensions["Pipeline"] != "api" || got[2].Sum != 5 || got[2].Unit != "Count" {
				t.Errorf("kept: %d, %+v", len(got), got[2])
			}
			if got := l.Metrics.Data("Other"); got != nil {
				t.Errorf("another namespace has %v", got)
			}
			for _, e := range l.Cloud.Events(account, "eu-west-1") {
				t.Errorf("the event history shows the data event %s", e.Name)
			}
		})
		if r := v.Report(); r.Operations["monitoring:PutMetricData"].Requests != 1 || r.Operations["monitoring:GetMetricStatistics"].Replies != 1 {
			t.Errorf("not held against the model: %v", r)
		}
	})
}

// TestNewMetricsAreListedLate: a metric is listed 15 minutes after it began, and not two weeks after its last data point.
func TestNewMetricsAreListedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lab.New()
		l.Cloud.PageSize = 2
		c, abroad, ctx := client(t, l, "ada", "eu-west-1", everything), client(t, l, "eve", "us-east-1", everything), t.Context()
		list := func(c *sdk.Client, in sdk.ListMetricsInput) string {
			t.Helper()
			var all []string
			for pages := sdk.NewListMetricsPaginator(c, &in); pages.HasMorePages(); {
				page, err := pages.NextPage(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Metrics) > 2 {
					t.Errorf("a page of %d", len(page.Metrics))
				}
				for _, m := range page.Metrics {
					text := *m.MetricName
					for _, d := range m.Dimensions {
						text += "/" + *d.Value
					}
					all = append(all, text)
				}
			}
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		in := &sdk.PutMetricDataInput{Namespace: aws.String("Unjam"), MetricData: []types.MetricDatum{datum("A", 1, "Pipeline", "web"), datum("A", 1, "Pipeline", "api"), datum("B", 1)}}
		if _, err := c.PutMetricData(ctx, in); err != nil {
			t.Fatal(err)
		}
		time.Sleep(14 * time.Minute)
		if got := list(c, sdk.ListMetricsInput{}); got != "" {
			t.Errorf("after 14 minutes: %s", got)
		}
		time.Sleep(2 * time.Minute)
		for want, in := range map[string]sdk.ListMetricsInput{
			"A/api A/web B": {Namespace: aws.String("Unjam"), RecentlyActive: types.RecentlyActivePt3h},
			"A/web":         {Dimensions: []types.DimensionFilter{{Name: aws.String("Pipeline"), Value: aws.String("web")}}},
			"A/api A/web":   {Dimensions: []types.DimensionFilter{{Name: aws.String("Pipeline")}}},
			"B":             {MetricName: aws.String("B")},
			"":              {Namespace: aws.String("Other")},
		} {
			if got := list(c, in); got != want {
				t.Errorf("listed %q, want %q", got, want)
			}
		}
		if got := list(abroad, sdk.ListMetricsInput{}); got != "" {
			t.Errorf("in another Region: %s", got)
		}
		time.Sleep(4 * time.Hour)
		if got := list(c, sdk.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h}); got != "" {
			t.Errorf("active in the last three hours: %s", got)
		}
		time.Sleep(15 * 24 * time.Hour)
		if got := list(c, sdk.ListMetricsInput{}); got != "" {
			t.Errorf("after two weeks: %s", got)
		}
	})
}

// TestOldDataPointsCountLate: the older a data point is when it comes, the later the statistics know it.
func TestOldDataPointsCountLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lab.New()
		c, ctx, began := client(t, l, "ada", "eu-west-1", everything), t.Context(), time.Now()
		for name, age := range map[string]time.Duration{"now": 0, "hours": 4 * time.Hour, "days": 25 * time.Hour} {
			d := datum(name, 1)
			d.Timestamp = aws.Time(began.Add(-age))
			if _, err := c.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("Unjam"), MetricData: []types.MetricDatum{d}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, tt := range []struct {
			after time.Duration
			want  string
		}{{0, "1 0 0"}, {119 * time.Minute, "1 0 0"}, {121 * time.Minute, "1 1 0"}, {47 * time.Hour, "1 1 0"}, {49 * time.Hour, "1 1 1"}} {
			time.Sleep(time.Until(began.Add(tt.after)))
			got := ""
			for _, name := range []string{"now", "hours", "days"} {
				out, err := c.GetMetricStatistics(ctx, &sdk.GetMetricStatisticsInput{Namespace: aws.String("Unjam"), MetricName: &name, Period: aws.Int32(86400),
					StartTime: aws.Time(began.Add(-100 * time.Hour)), EndTime: aws.Time(began.Add(time.Hour)), Statistics: []types.Statistic{types.StatisticSum}})
				if err != nil {
					t.Fatal(err)
				}
				got += fmt.Sprint(" ", len(out.Datapoints))
			}
			if got[1:] != tt.want {
				t.Errorf("after %v: %s, want %s", tt.after, got[1:], tt.want)
			}
		}
	})
}

func TestWhatCloudWatchRefuses(t *testing.T) {
	l := lab.New()
	apimodel.Attach(t, l)
	c, ctx := client(t, l, "ada", "eu-west-1", everything), t.Context()
	at := func(d time.Duration) types.MetricDatum {
		x := datum("A", 1)
		x.Timestamp = aws.Time(time.Now().Add(d))
		return x
	}
	with := func(change func(*types.MetricDatum)) []types.MetricDatum {
		x := datum("A", 1)
		change(&x)
		return []types.MetricDatum{x}
	}
	var tooMany []types.Dimension
	for i := range 31 {
		tooMany = append(tooMany, types.Dimension{Name: aws.String(fmt.Sprint("D", i)), Value: aws.String("v")})
	}
	const invalid, missing, both = "InvalidParameterValue", "MissingParameter", "InvalidParameterCombination"
	for name, tt := range map[string]struct {
		namespace string
		data      []types.MetricDatum
		want      string
	}{
		"all is well":         {"Unjam/Repairs #1", with(func(*types.MetricDatum) {}), "<nil>"},
		"a thousand":          {"Unjam", slices.Repeat(with(func(*types.MetricDatum) {}), 1000), "<nil>"},
		"a thousand and one":  {"Unjam", slices.Repeat(with(func(*types.MetricDatum) {}), 1001), invalid},
		"none":                {"Unjam", []types.MetricDatum{}, missing},
		"namespace of AWS":    {"AWS/CodePipeline", with(func(*types.MetricDatum) {}), invalid},
		"namespace odd":       {"Un;jam", with(func(*types.MetricDatum) {}), invalid},
		"namespace colon":     {":Unjam", with(func(*types.MetricDatum) {}), invalid},
		"two weeks ago":       {"Unjam", []types.MetricDatum{at(-14*24*time.Hour + time.Minute)}, "<nil>"},
		"older":               {"Unjam", []types.MetricDatum{at(-14*24*time.Hour - time.Minute)}, invalid},
		"in two hours":        {"Unjam", []types.MetricDatum{at(2*time.Hour - time.Minute)}, "<nil>"},
		"later":               {"Unjam", []types.MetricDatum{at(2*time.Hour + time.Minute)}, invalid},
		"no value":            {"Unjam", with(func(d *types.MetricDatum) { d.Value = nil }), missing},
		"two values":          {"Unjam", with(func(d *types.MetricDatum) { d.Values = []float64{1} }), both},
		"not a number":        {"Unjam", with(func(d *types.MetricDatum) { d.Value = aws.Float64(math.NaN()) }), invalid},
		"endless":             {"Unjam", with(func(d *types.MetricDatum) { d.Value = aws.Float64(math.Inf(1)) }), invalid},
		"too large":           {"Unjam", with(func(d *types.MetricDatum) { d.Value = aws.Float64(0x1p361) }), invalid},
		"150 values":          {"Unjam", with(func(d *types.MetricDatum) { d.Value, d.Values = nil, make([]float64, 150) }), "<nil>"},
		"151 values":          {"Unjam", with(func(d *types.MetricDatum) { d.Value, d.Values = nil, make([]float64, 151) }), invalid},
		"counts of other":     {"Unjam", with(func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, []float64{1, 2}, []float64{1} }), invalid},
		"unit":                {"Unjam", with(func(d *types.MetricDatum) { d.Unit = "Furlongs" }), invalid},
		"resolution":          {"Unjam", with(func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(30) }), invalid},
		"31 dimensions":       {"Unjam", with(func(d *types.MetricDatum) { d.Dimensions = tooMany }), invalid},
		"30 dimensions":       {"Unjam", with(func(d *types.MetricDatum) { d.Dimensions = tooMany[:30] }), "<nil>"},
		"dimension not ASCII": {"Unjam", []types.MetricDatum{datum("A", 1, "Ort", "Köln")}, invalid},
		"dimension empty":     {"Unjam", []types.MetricDatum{datum("A", 1, "Ort", "")}, missing},
		"dimension twice":     {"Unjam", []types.MetricDatum{datum("A", 1, "Ort", "a", "Ort", "b")}, invalid},
		"one of two is wrong": {"Unjam", []types.MetricDatum{datum("Right", 1), datum("", 1)}, missing},
	} {
		if _, err := c.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: &tt.namespace, MetricData: tt.data}); code(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	l.Cloud.Within(func() {
		for _, d := range l.Metrics.Data("") {
			if d.Name == "Right" {
				t.Error("half of a refused request was kept")
			}
		}
	})
	now := time.Now()
	_, err := c.GetMetricStatistics(ctx, &sdk.GetMetricStatisticsInput{Namespace: aws.String("Unjam"), MetricName: aws.String("A"), Period: aws.Int32(60),
		StartTime: aws.Time(now.Add(-25 * time.Hour)), EndTime: &now, Statistics: []types.Statistic{types.StatisticSum}})
	if code(err) != both || !strings.Contains(err.Error(), "exceeds the limit of 1440") {
		t.Errorf("1500 data points: %v", err)
	}
}

func TestWhoMayPublish(t *testing.T) {
	l := lab.New()
	c, ctx := client(t, l, "bert", "eu-west-1", `{"Effect":"Allow","Action":"cloudwatch:PutMetricData","Resource":"*","Condition":{"StringEquals":{"cloudwatch:namespace":"Unjam"}}}`), t.Context()
	data := []types.MetricDatum{datum("A", 1)}
	if _, err := c.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("Unjam"), MetricData: data}); err != nil {
		t.Errorf("in the namespace of the policy: %v", err)
	}
	_, err := c.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("Other"), MetricData: data})
	if code(err) != "AccessDenied" || !strings.Contains(err.Error(), "is not authorized to perform: cloudwatch:PutMetricData") {
		t.Errorf("in another: %v", err)
	}
	l.Cloud.Within(func() {
		l.Cloud.Injections = append(l.Cloud.Injections, &cloud.Injection{Service: "monitoring", Kind: lab.Throttled, Times: 1})
	})
	if _, err := c.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("Unjam"), MetricData: data}); code(err) != "Throttling" {
		t.Errorf("throttled: %v", err)
	}
}

// TestQueryAndJSON: older clients speak the other two protocols, with texts and numbers of their own.
func TestQueryAndJSON(t *testing.T) {
	l := lab.New()
	call := func(in map[string]any) (err error) {
		l.Cloud.Within(func() {
			_, err = l.Cloud.Serve(&cloud.Request{Service: "monitoring", Operation: "PutMetricData", Region: "us-east-1", In: in, Caller: iam.RootPrincipal(account)})
		})
		return err
	}
	now := time.Now().UTC()
	for protocol, m := range map[string]map[string]any{
		"form": {"MetricName": "A", "Value": "1.5", "Timestamp": now.Format(time.RFC3339), "StorageResolution": "60"},
		"json": {"MetricName": "A", "Value": 1.5, "Timestamp": float64(now.Unix()), "StorageResolution": 60.0},
	} {
		if err := call(map[string]any{"Namespace": protocol, "MetricData": []any{m}}); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
		l.Cloud.Within(func() {
			if d := l.Metrics.Data(protocol); len(d) != 1 || d[0].Sum != 1.5 || d[0].At.Unix() != now.Unix() {
				t.Errorf("%s: kept %+v", protocol, d)
			}
		})
	}
	if u, err := url.ParseQuery("Value=x"); err != nil || call(map[string]any{"Namespace": "form", "MetricData": []any{map[string]any{"MetricName": "A", "Value": u.Get("Value")}}}) == nil {
		t.Error("a word is taken for a number")
	}
}
