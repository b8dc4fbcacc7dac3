package drive

func bucketSteps() []step {
	const policy = `"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"111111111111\"},\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::builds/*\"}}"`
	const far = `{"Bucket":"builds-far"}`
	return named("s3", []step{
		{op: "CreateBucket", in: `{"Bucket":"builds"}`},
		{op: "CreateBucket", in: `{"Bucket":"builds"}`, code: "BucketAlreadyOwnedByYou"},
		{op: "CreateBucket", in: `{"Bucket":"Builds"}`, code: "InvalidBucketName"},
		{op: "CreateBucket", in: `{"Bucket":"builds-far","LocationConstraint":"eu-west-1"}`, code: "IllegalLocationConstraintException"},
		{act: (*driver).farBucket},
		{op: "ListBuckets", in: `{}`},
		{op: "HeadBucket", in: `{"Bucket":"builds"}`},
		{op: "HeadBucket", in: `{"Bucket":"none"}`, code: "404"},
		{op: "HeadBucket", in: far, code: "301"},
		{op: "GetBucketLocation", in: `{"Bucket":"builds"}`},
		{op: "GetBucketLocation", in: `{"Bucket":"none"}`, code: "NoSuchBucket"},
		{op: "GetBucketEncryption", in: `{"Bucket":"builds"}`},
		{op: "GetBucketEncryption", in: far, code: "PermanentRedirect"},
		{op: "GetBucketPolicy", in: `{"Bucket":"builds"}`, code: "NoSuchBucketPolicy"},
		{op: "PutBucketPolicy", in: `{"Bucket":"builds",` + policy + `}`},
		{op: "PutBucketPolicy", in: `{"Bucket":"builds","Policy":"["}`, code: "MalformedPolicy"},
		{op: "GetBucketPolicy", in: `{"Bucket":"builds"}`},
		{op: "DeleteBucketPolicy", in: `{"Bucket":"builds"}`},
		{op: "DeleteBucketPolicy", in: `{"Bucket":"none"}`, code: "NoSuchBucket"},
		{op: "DeleteBucket", in: `{"Bucket":"builds"}`},
		{op: "DeleteBucket", in: `{"Bucket":"builds"}`, code: "NoSuchBucket"},
	})
}

// farBucket makes a bucket in another Region than the calls go to.
func (d *driver) farBucket() error {
	d.lab.Cloud.Within(func() { d.lab.Buckets.Stand(account, "eu-west-1", "builds-far") })
	return nil
}

func keySteps() []step {
	const policy = `"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"111111111111\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}}"`
	const key, none = `"KeyId":"$key"`, `"KeyId":"01234567-89ab-4cde-8f01-23456789abcd"`
	return append([]step{{act: (*driver).makeKey}}, named("kms", []step{
		{op: "DescribeKey", in: `{` + key + `}`},
		{op: "DescribeKey", in: `{"KeyId":"alias/builds"}`},
		{op: "DescribeKey", in: `{` + none + `}`, code: "NotFoundException"},
		{op: "DescribeKey", in: `{"KeyId":"arn:aws:kms:eu-west-1:111111111111:key/x"}`, code: "InvalidArnException"},
		{op: "GetKeyPolicy", in: `{` + key + `}`},
		{op: "GetKeyPolicy", in: `{` + none + `}`, code: "NotFoundException"},
		{op: "PutKeyPolicy", in: `{` + key + `,` + policy + `}`},
		{op: "PutKeyPolicy", in: `{` + key + `,"Policy":"["}`, code: "MalformedPolicyDocumentException"},
		{op: "ListAliases", in: `{"Limit":1}`},
		{op: "ListAliases", in: `{"Marker":"nonsense"}`, code: "InvalidMarkerException"},
		{op: "DisableKey", in: `{` + key + `}`},
		{op: "DescribeKey", in: `{` + key + `}`},
		{op: "EnableKey", in: `{` + key + `}`},
		{op: "CancelKeyDeletion", in: `{` + key + `}`, code: "KMSInvalidStateException"},
		{op: "ScheduleKeyDeletion", in: `{` + key + `,"PendingWindowInDays":7}`},
		{op: "ScheduleKeyDeletion", in: `{` + key + `}`, code: "KMSInvalidStateException"},
		{op: "DescribeKey", in: `{` + key + `}`},
		{op: "EnableKey", in: `{` + key + `}`, code: "KMSInvalidStateException"},
		{op: "DisableKey", in: `{` + key + `}`, code: "KMSInvalidStateException"},
		{op: "CancelKeyDeletion", in: `{` + key + `}`},
	})...)
}

// makeKey makes a KMS key, which the lab serves no call for.
func (d *driver) makeKey() error {
	var err error
	d.lab.Cloud.Within(func() {
		k, e := d.lab.Keys.Make(account, region, "builds", "")
		d.vars["key"], err = k.ID, e
	})
	return err
}
