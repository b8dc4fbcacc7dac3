// Package fulltest holds the lab against clients and sources that are not Go: the AWS CLI, boto3, botocore's API models, the
// Service Authorization Reference and a browser. It exports nothing, and its tests are built only with the tag full.
package fulltest
