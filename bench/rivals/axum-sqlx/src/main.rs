//! Reads, an update and an INSERT of the service in Rust as its libraries' documentation has them: axum, jsonwebtoken,
//! an sqlx pool, serde, one line of tracing for each request. Uses the tables of the service, and takes its tokens.
//! Nothing in it is slow on purpose. Listens on PORT.

use std::{env, error::Error, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

#[derive(Serialize, sqlx::FromRow)]
struct User {
    id: Uuid,
    email: String,
    username: String,
    role: String,
    is_active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Page {
    data: Vec<User>,
    next_cursor: Option<Uuid>,
}

#[derive(Deserialize)]
struct Claims {
    sub: Uuid,
}

#[derive(Deserialize)]
struct ListQuery {
    limit: i64,
}

#[derive(Deserialize)]
struct Changes {
    username: String,
}

#[derive(Serialize, sqlx::FromRow)]
struct Project {
    id: Uuid,
    name: String,
    description: String,
    archived: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct NewProject {
    name: String,
    description: String,
}

struct Service {
    pool: PgPool,
    key: DecodingKey,
    validation: Validation,
}

type Shared = State<Arc<Service>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // As pgx has it: four connections, or as many as there are cores.
    let cores = std::thread::available_parallelism()?.get() as u32;
    let pool = PgPoolOptions::new()
        .max_connections(cores.max(4))
        .connect(&env::var("DATABASE_URL")?)
        .await?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&["groundwork"]);
    validation.set_audience(&["groundwork"]);
    let key = DecodingKey::from_secret(env::var("JWT_SECRET")?.as_bytes());

    tracing_subscriber::fmt().json().init();
    let app = Router::new()
        .route("/live", get(live))
        .route("/api/v1/users/me", get(me).patch(update))
        .route("/api/v1/users", get(list))
        .route(
            "/api/v1/organizations/{organization}/projects",
            post(create_project),
        )
        .layer(middleware::from_fn(logged))
        .with_state(Arc::new(Service {
            pool,
            key,
            validation,
        }));
    let listener =
        tokio::net::TcpListener::bind(format!("127.0.0.1:{}", env::var("PORT")?)).await?;
    let mut stop = signal(SignalKind::terminate())?;
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            stop.recv().await;
        })
        .await?;
    Ok(())
}

async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "alive" }))
}

async fn me(State(service): Shared, headers: HeaderMap) -> Result<Json<User>, StatusCode> {
    let id = subject(&service, &headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let user = sqlx::query_as(
        "SELECT id, email, username, role, is_active, created_at, updated_at
         FROM users WHERE id = $1 AND is_active",
    )
    .bind(id)
    .fetch_one(&service.pool)
    .await
    .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(user))
}

async fn update(
    State(service): Shared,
    headers: HeaderMap,
    Json(changes): Json<Changes>,
) -> Result<Json<User>, StatusCode> {
    let id = subject(&service, &headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let user = sqlx::query_as(
        "UPDATE users SET username = $2 WHERE id = $1 AND is_active
         RETURNING id, email, username, role, is_active, created_at, updated_at",
    )
    .bind(id)
    .bind(changes.username)
    .fetch_one(&service.pool)
    .await
    .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(user))
}

async fn create_project(
    State(service): Shared,
    Path(organization): Path<Uuid>,
    headers: HeaderMap,
    Json(project): Json<NewProject>,
) -> Result<(StatusCode, Json<Project>), StatusCode> {
    subject(&service, &headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let project = sqlx::query_as(
        "INSERT INTO projects (org_id, id, name, description) VALUES ($1, uuidv7(), $2, $3)
         RETURNING id, name, description, archived, created_at, updated_at",
    )
    .bind(organization)
    .bind(project.name)
    .bind(project.description)
    .fetch_one(&service.pool)
    .await
    .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok((StatusCode::CREATED, Json(project)))
}

async fn list(
    State(service): Shared,
    Query(ListQuery { limit }): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Json<Page>, StatusCode> {
    let limit = limit.clamp(1, 100);
    let id = subject(&service, &headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let admin: bool =
        sqlx::query_scalar("SELECT role = 'admin' FROM users WHERE id = $1 AND is_active")
            .bind(id)
            .fetch_one(&service.pool)
            .await
            .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    if !admin {
        return Err(StatusCode::FORBIDDEN);
    }
    let mut data: Vec<User> = sqlx::query_as(
        "SELECT id, email, username, role, is_active, created_at, updated_at
         FROM users ORDER BY id DESC LIMIT $1",
    )
    .bind(limit + 1)
    .fetch_all(&service.pool)
    .await
    .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let limit = limit as usize;
    let more = data.len() > limit;
    data.truncate(limit);
    let next_cursor = if more {
        data.last().map(|user| user.id)
    } else {
        None
    };
    Ok(Json(Page { data, next_cursor }))
}

/// The user's id of the request's token, when it is one of the service's.
fn subject(service: &Service, headers: &HeaderMap) -> Option<Uuid> {
    let token = headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")?;
    let claims = decode::<Claims>(token, &service.key, &service.validation)
        .ok()?
        .claims;
    Some(claims.sub)
}

async fn logged(request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    tracing::info!(
        %method,
        path,
        status = response.status().as_u16(),
        duration_ms = begin.elapsed().as_secs_f64() * 1000.0,
        "request"
    );
    response
}
