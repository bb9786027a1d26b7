// Reads, an update and an INSERT of the service in Go as its libraries' documentation has them: net/http, golang-jwt, a
// pgx pool, encoding/json, one line of slog for each request. Uses the tables of the service, and takes its tokens.
// Nothing in it is slow on purpose. Listens on PORT.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const columns = "id::text, email, username, role, is_active, created_at, updated_at"

type user struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Username  string    `json:"username"`
	Role      string    `json:"role"`
	IsActive  bool      `json:"is_active"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

type page struct {
	Data       []user  `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

type project struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Archived    bool      `json:"archived"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

type server struct {
	pool   *pgxpool.Pool
	secret []byte
	parser *jwt.Parser
}

func main() {
	pool, err := pgxpool.New(context.Background(), os.Getenv("DATABASE_URL"))
	if err != nil {
		slog.Error("no pool", "error", err)
		os.Exit(1)
	}
	defer pool.Close()
	s := &server{
		pool:   pool,
		secret: []byte(os.Getenv("JWT_SECRET")),
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{"HS256"}),
			jwt.WithIssuer("groundwork"),
			jwt.WithAudience("groundwork"),
			jwt.WithExpirationRequired(),
		),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /api/v1/users/me", s.signedIn(s.me))
	mux.HandleFunc("PATCH /api/v1/users/me", s.signedIn(s.update))
	mux.HandleFunc("GET /api/v1/users", s.signedIn(s.list))
	mux.HandleFunc("POST /api/v1/organizations/{organization}/projects", s.signedIn(s.createProject))

	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	httpServer := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: logged(logger, mux)}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		<-stop.Done()
		_ = httpServer.Shutdown(context.Background())
	}()
	if err := httpServer.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		logger.Error("not listening", "error", err)
		os.Exit(1)
	}
}

func (s *server) me(w http.ResponseWriter, r *http.Request, id string) {
	rows, err := s.pool.Query(r.Context(), "SELECT "+columns+" FROM users WHERE id = $1 AND is_active", id)
	if err != nil {
		fail(w, err)
		return
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[user])
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, found)
}

func (s *server) update(w http.ResponseWriter, r *http.Request, id string) {
	var changes struct {
		Username string `json:"username"`
	}
	if err := json.NewDecoder(r.Body).Decode(&changes); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "bad body"})
		return
	}
	const statement = "UPDATE users SET username = $2 WHERE id = $1 AND is_active RETURNING " + columns
	rows, err := s.pool.Query(r.Context(), statement, id, changes.Username)
	if err != nil {
		fail(w, err)
		return
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[user])
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, found)
}

func (s *server) createProject(w http.ResponseWriter, r *http.Request, _ string) {
	var wanted struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "bad body"})
		return
	}
	const statement = "INSERT INTO projects (org_id, id, name, description) VALUES ($1, uuidv7(), $2, $3) " +
		"RETURNING id::text, name, description, archived, created_at, updated_at"
	rows, err := s.pool.Query(r.Context(), statement, r.PathValue("organization"), wanted.Name, wanted.Description)
	if err != nil {
		fail(w, err)
		return
	}
	created, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[project])
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusCreated, created)
}

func (s *server) list(w http.ResponseWriter, r *http.Request, id string) {
	var admin bool
	const mayList = "SELECT role = 'admin' FROM users WHERE id = $1 AND is_active"
	if err := s.pool.QueryRow(r.Context(), mayList, id).Scan(&admin); err != nil || !admin {
		answer(w, http.StatusForbidden, map[string]string{"error": "forbidden"})
		return
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		answer(w, http.StatusBadRequest, map[string]string{"error": "bad limit"})
		return
	}
	const statement = "SELECT " + columns + " FROM users ORDER BY id DESC LIMIT $1"
	rows, err := s.pool.Query(r.Context(), statement, limit+1)
	if err != nil {
		fail(w, err)
		return
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[user])
	if err != nil {
		fail(w, err)
		return
	}
	result := page{Data: found}
	if len(found) > limit {
		result.Data = found[:limit]
		result.NextCursor = &found[limit-1].ID
	}
	answer(w, http.StatusOK, result)
}

// signedIn tells a handler whose token the request has; without one it answers 401 itself.
func (s *server) signedIn(handle func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, ok := s.subject(r)
		if !ok {
			answer(w, http.StatusUnauthorized, map[string]string{"error": "unauthorized"})
			return
		}
		handle(w, r, id)
	}
}

// subject gives the user's id of the request's token, when it is one of the service's.
func (s *server) subject(r *http.Request) (string, bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", false
	}
	var claims jwt.RegisteredClaims
	_, err := s.parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return s.secret, nil })
	return claims.Subject, err == nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func fail(w http.ResponseWriter, err error) {
	slog.Error("failed", "error", err)
	answer(w, http.StatusInternalServerError, map[string]string{"error": "internal"})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func logged(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(status, r)
		logger.Info("request", "method", r.Method, "path", r.URL.Path, "status", status.status,
			"duration_ms", float64(time.Since(begin).Microseconds())/1000)
	})
}
