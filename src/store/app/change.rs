//! Making and changing apps, and who may have which slug.

use sqlx::{PgConnection, types::Json};

use super::{App, Cors};
use crate::base::{
    Error, OnConstraint, Result,
    id::AppId,
    name::{AppName, Description, Slug},
    patch::Patch,
};

/// What an app is made with.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// Its short name in addresses.
    pub slug: Slug,
    /// Its name as people read it.
    pub name: AppName,
    /// What it is for.
    pub description: Option<Description>,
    /// Whether a slug that redirects to a renamed app may be taken from it.
    pub take_over: bool,
}

/// What changes of an app.
#[derive(Clone, Debug, Default)]
pub struct AppChange {
    /// A new slug; the old one redirects from then on.
    pub slug: Option<Slug>,
    /// A new name.
    pub name: Option<AppName>,
    /// A new description, or none.
    pub description: Patch<Description>,
    /// What pages of other origins may ask, checked, or nothing.
    pub cors: Patch<Cors>,
}

impl AppChange {
    /// The names of the fields it mentions.
    pub fn fields(&self) -> Vec<&'static str> {
        let mentioned = [
            ("slug", self.slug.is_some()),
            ("name", self.name.is_some()),
            ("description", self.description != Patch::Keep),
            ("cors", self.cors != Patch::Keep),
        ];
        mentioned.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
    }
}

/// Refuses a slug that is one of this machine's own names, or whose
/// `<slug>.local` is: under these the administration answers.
pub fn refuse_own_name<'a>(slug: &Slug, own_names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let slug = slug.as_str();
    if own_names.into_iter().any(|own| own == slug || own.strip_suffix(".local") == Some(slug)) {
        return Err(Error::invalid("slug", "is a name of this machine, under which it is administered"));
    }
    Ok(())
}

/// Makes an app.
pub async fn create(conn: &mut PgConnection, new: &NewApp) -> Result<App> {
    let app: App = sqlx::query_as(
        "insert into apps (id, slug, name, description)
         values ($1, $2, $3, $4)
         returning id, slug, name, description, cors, is_default, created_at, updated_at",
    )
    .bind(AppId::new())
    .bind(&new.slug)
    .bind(&new.name)
    .bind(&new.description)
    .fetch_one(&mut *conn)
    .await
    .on_constraint("apps_slug_key", || taken(&new.slug))?;
    settle_old_slug(conn, &app, new.take_over).await?;
    Ok(app)
}

/// Changes an app. A slug it gives up redirects to it until another app takes
/// that slug over; one it had before it may have back.
pub async fn update(conn: &mut PgConnection, id: AppId, change: AppChange) -> Result<App> {
    let old: App = sqlx::query_as(
        "select id, slug, name, description, cors, is_default, created_at, updated_at
         from apps
         where id = $1 and deleted_at is null
         for update",
    )
    .bind(id)
    .fetch_optional(&mut *conn)
    .await?
    .ok_or_else(|| Error::NotFound("app".to_owned()))?;
    let slug = change.slug.unwrap_or_else(|| old.slug.clone());
    let app: App = sqlx::query_as(
        "update apps
         set slug = $2, name = coalesce($3, name), description = $4, cors = $5::json,
             updated_at = now()
         where id = $1
         returning id, slug, name, description, cors, is_default, created_at, updated_at",
    )
    .bind(id)
    .bind(&slug)
    .bind(change.name)
    .bind(change.description.apply(old.description))
    .bind(change.cors.apply(old.cors.map(|cors| cors.0)).map(Json))
    .fetch_one(&mut *conn)
    .await
    .on_constraint("apps_slug_key", || taken(&slug))?;
    if app.slug != old.slug {
        settle_old_slug(conn, &app, false).await?;
        redirect(conn, id, &old.slug).await?;
    }
    Ok(app)
}

/// Ends the redirect that the slug `app` has just taken may still be.
///
/// By now the unique index holds the slug for this transaction, so nobody can
/// add a redirect for it; a rename that gave the slug up has committed.
async fn settle_old_slug(conn: &mut PgConnection, app: &App, take_over: bool) -> Result<()> {
    sqlx::query("delete from app_old_slugs where slug = $1 and (app_id = $2 or $3)")
        .bind(&app.slug)
        .bind(app.id)
        .bind(take_over)
        .execute(&mut *conn)
        .await?;
    let still: bool = sqlx::query_scalar("select exists (select from app_old_slugs where slug = $1)")
        .bind(&app.slug)
        .fetch_one(conn)
        .await?;
    if still {
        return Err(Error::Conflict(format!(
            "`{}` redirects to an app that was renamed; a new app takes it with \"take_over\": true",
            app.slug
        )));
    }
    Ok(())
}

async fn redirect(conn: &mut PgConnection, app: AppId, slug: &Slug) -> Result<()> {
    sqlx::query("insert into app_old_slugs (slug, app_id) values ($1, $2)")
        .bind(slug)
        .bind(app)
        .execute(conn)
        .await?;
    Ok(())
}

fn taken(slug: &Slug) -> Error {
    Error::Conflict(format!("another app has the slug `{slug}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_name_is_no_slug() -> Result<(), String> {
        let slug: Slug = "picloud".parse()?;
        for own in [&["localhost", "picloud"][..], &["picloud.local"]] {
            assert!(matches!(refuse_own_name(&slug, own.iter().copied()), Err(Error::Invalid(_))), "{own:?}");
        }
        for other in [&["localhost", "pi", "pi.local"][..], &["x.picloud.local", "picloud.lan"], &[]] {
            assert!(refuse_own_name(&slug, other.iter().copied()).is_ok(), "{other:?}");
        }
        Ok(())
    }
}
