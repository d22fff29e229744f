package nginx_test

import (
	"testing"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

// Nginx with its health checks must do what HAProxy does by itself.
func TestNginx(t *testing.T) { edgetest.Run(t, edgetest.Nginx) }
