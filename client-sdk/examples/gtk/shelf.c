/* SPDX-License-Identifier: Apache-2.0 */
/* A file is fetched once and then lies under its id; its own name never becomes a path. Pictures are decoded in a
 * thread of GLib's pool, at the size they are shown in, and only when the image says itself that it is not too large.
 */
#include "shelf.h"

#include <glib/gstdio.h>
#include <string.h>

enum { MAX_PICTURE_BYTES = 10 * 1024 * 1024, MAX_PIXELS = 50 * 1000 * 1000, PICTURE_SIZE = 480 };

struct shelf {
        struct talk *talk;
        char *folder;
        GPtrArray *jobs; /* struct job, those that are under way */
        GCancellable *cancellable;
};

/* A fetch, or the making of a picture. */
struct job {
        struct shelf *shelf; /* NULL: it is gone */
        ChatItem *item;
        unsigned index;
        char *save_to; /* NULL = only to be shown */
};

static struct job *job_new(struct shelf *shelf, ChatItem *item, unsigned index, const char *save_to)
{
        struct job *job = g_new0(struct job, 1);

        job->shelf = shelf;
        job->item = g_object_ref(item);
        job->index = index;
        job->save_to = g_strdup(save_to);
        g_ptr_array_add(shelf->jobs, job);
        return job;
}

static void job_free(void *data)
{
        struct job *job = data;

        if (job->shelf)
                g_ptr_array_remove(job->shelf->jobs, job);
        g_object_unref(job->item);
        g_free(job->save_to);
        g_free(job);
}

struct shelf *shelf_new(struct talk *talk, const char *folder)
{
        struct shelf *shelf = g_new0(struct shelf, 1);

        shelf->talk = talk;
        shelf->folder = g_strdup(folder);
        shelf->jobs = g_ptr_array_new();
        shelf->cancellable = g_cancellable_new();
        if (g_mkdir_with_parents(folder, 0700) != 0)
                g_warning("The folder for files cannot be made.");
        return shelf;
}

struct shelf *shelf_free(struct shelf *shelf)
{
        if (!shelf)
                return NULL;
        g_cancellable_cancel(shelf->cancellable);
        for (unsigned i = 0; i < shelf->jobs->len; i++)
                ((struct job *)shelf->jobs->pdata[i])->shelf = NULL;
        g_ptr_array_unref(shelf->jobs);
        g_object_unref(shelf->cancellable);
        g_free(shelf->folder);
        g_free(shelf);
        return NULL;
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

static void decode(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
        const char *path = data;
        int width = 0, height = 0;

        (void)source;
        (void)cancellable;
        if (!gdk_pixbuf_get_file_info(path, &width, &height) || width <= 0 || height <= 0 ||
            (gint64)width * height > MAX_PIXELS) {
                g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not a picture to be shown");
                return;
        }
        GError *error = NULL;
        bool is_large = width > PICTURE_SIZE || height > PICTURE_SIZE;
        GdkPixbuf *pixbuf = is_large ? gdk_pixbuf_new_from_file_at_size(path, PICTURE_SIZE, PICTURE_SIZE, &error)
                                     : gdk_pixbuf_new_from_file(path, &error);
        if (!pixbuf) {
                g_task_return_error(task, error);
                return;
        }
        GdkPixbuf *upright = gdk_pixbuf_apply_embedded_orientation(pixbuf);
        g_object_unref(pixbuf);
        g_task_return_pointer(task, upright, g_object_unref);
}

static void on_decoded(GObject *source, GAsyncResult *result, gpointer data)
{
        struct job *job = data;
        g_autoptr(GdkPixbuf) pixbuf = g_task_propagate_pointer(G_TASK(result), NULL);
        struct item_file *file = item_file_at(job->item, job->index);

        (void)source;
        if (file && pixbuf && job->shelf) {
                g_clear_object(&file->picture);
                file->picture = G_OBJECT(gdk_texture_new_for_pixbuf(pixbuf));
                item_changed(job->item);
        }
        job_free(job);
}

static void make_picture(struct shelf *shelf, ChatItem *item, unsigned index)
{
        struct item_file *file = item_file_at(item, index);

        if (file->picture || file->is_decoding || !file->path || !item_file_is_image(file))
                return;
        file->is_decoding = true; /* once: what cannot be decoded is not tried again */
        GTask *task = g_task_new(NULL, shelf->cancellable, on_decoded, job_new(shelf, item, index, NULL));
        g_task_set_task_data(task, g_strdup(file->path), g_free);
        g_task_run_in_thread(task, decode);
        g_object_unref(task);
}

/* ---- fetching ---------------------------------------------------------------------------------------------------- */

static void copy_to(const char *from, const char *to)
{
        g_autoptr(GFile) source = g_file_new_for_path(from);
        g_autoptr(GFile) target = g_file_new_for_path(to);
        g_autoptr(GError) error = NULL;

        if (!g_file_copy(source, target, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &error))
                g_warning("The file could not be saved: %s", error->message);
}

static void on_fetch_progress(deskbell_client *client, int64_t fetch, int64_t received, int64_t total, void *data)
{
        struct job *job = data;
        struct item_file *file = item_file_at(job->item, job->index);

        (void)client;
        (void)fetch;
        if (!file || !job->shelf)
                return;
        file->done = received;
        file->total = total;
        item_changed(job->item);
}

static void on_fetched(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        struct job *job = data;
        struct item_file *file = item_file_at(job->item, job->index);

        (void)client;
        (void)fetch;
        if (file && job->shelf) {
                file->place = error == DESKBELL_OK ? FILE_HERE : FILE_REFUSED;
                if (error == DESKBELL_OK) {
                        g_free(file->path);
                        file->path = g_strdup(path);
                        make_picture(job->shelf, job->item, job->index);
                        if (job->save_to)
                                copy_to(path, job->save_to);
                }
                item_changed(job->item);
        }
        job_free(job);
}

static bool is_id(const char *id)
{
        return strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32;
}

static void find_local(struct shelf *shelf, struct item_file *file)
{
        if (file->path || !is_id(file->id))
                return;
        char *path = g_build_filename(shelf->folder, file->id, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
                file->path = path;
                file->place = FILE_HERE;
        } else {
                g_free(path);
        }
}

static void fetch(struct shelf *shelf, ChatItem *item, unsigned index, const char *save_to)
{
        struct item_file *file = item_file_at(item, index);

        if (!is_id(file->id) || file->place == FILE_FETCHING)
                return;
        g_autofree char *path = g_build_filename(shelf->folder, file->id, NULL);
        struct job *job = job_new(shelf, item, index, save_to);
        if (talk_fetch(shelf->talk, file, path, on_fetch_progress, on_fetched, job) != DESKBELL_OK) {
                file->place = FILE_REFUSED;
                job_free(job);
                return;
        }
        file->place = FILE_FETCHING;
        file->done = file->total = 0;
}

void shelf_want(struct shelf *shelf, ChatItem *item, unsigned index)
{
        struct item_file *file = item_file_at(item, index);

        if (!file || !item_file_is_image(file) || file->picture)
                return;
        find_local(shelf, file);
        if (file->path)
                make_picture(shelf, item, index);
        else if (file->place == FILE_AWAY && item->number > 0 && file->size <= MAX_PICTURE_BYTES)
                fetch(shelf, item, index, NULL);
}

void shelf_save(struct shelf *shelf, ChatItem *item, unsigned index, const char *path)
{
        struct item_file *file = item_file_at(item, index);

        if (!file)
                return;
        find_local(shelf, file);
        if (file->path) {
                copy_to(file->path, path);
                return;
        }
        fetch(shelf, item, index, path);
        item_changed(item);
}
