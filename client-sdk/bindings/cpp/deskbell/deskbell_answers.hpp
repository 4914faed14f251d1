/* SPDX-License-Identifier: Apache-2.0 */
/* The functions C calls with what was asked for: each finds what is owed and gives it its one call. Include
 * deskbell.hpp. */
#ifndef DESKBELL_ANSWERS_HPP
#define DESKBELL_ANSWERS_HPP

#include "deskbell/deskbell_copies.hpp"

namespace deskbell
{

namespace detail
{

/* Makes the page out of what C told and gives it to the function that waits for it; `fill` copies. */
template <class Page, class Fill> void answer(void *data, int code, Fill fill) noexcept
{
        auto *debt = static_cast<owed *>(data);
        core &to = *debt->owner;
        std::shared_ptr<owed> found = to.settle(debt);

        if (!found)
                return;
        to.give([&] {
                Page page;

                try {
                        fill(page);
                        page.error = static_cast<errc>(code);
                } catch (const std::bad_alloc &) {
                        page = Page();
                        page.error = errc::nomem;
                }
                static_cast<owed_page<Page> &>(*found).done(page);
        });
}

inline void on_history(deskbell_client *, int code, const deskbell_entry *entries, std::size_t count, std::int64_t head,
                       int more, void *data) noexcept
{
        answer<history_page>(data, code, [&](history_page &page) {
                for (std::size_t i = 0; i < count; i++)
                        page.entries.push_back(copy_of(*static_cast<owed *>(data)->owner, entries[i]));
                page.head = head;
                page.more = more != 0;
        });
}

inline void on_search(deskbell_client *, int code, const deskbell_found *found, std::size_t count, const char *next,
                      int is_cut, void *data) noexcept
{
        answer<search_page>(data, code, [&](search_page &page) {
                for (std::size_t i = 0; i < count; i++)
                        page.found.push_back(copy_of(found[i]));
                page.next = text_of(next);
                page.is_cut = is_cut != 0;
        });
}

inline void on_fetch_progress(deskbell_client *, std::int64_t, std::int64_t received, std::int64_t total,
                              void *data) noexcept
{
        auto *debt = static_cast<owed_fetch *>(static_cast<owed *>(data));
        if (debt->progress)
                debt->owner->give([&] { debt->progress(received, total); });
}

inline void on_fetched(deskbell_client *, std::int64_t fetch, int code, const char *path, void *data) noexcept
{
        answer<fetched>(data, code, [&](fetched &page) {
                page.fetch = fetch;
                page.path = text_of(path);
        });
}

} // namespace detail

} // namespace deskbell

#endif
