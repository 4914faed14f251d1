/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a JSON value by path, for tests that look into answers. Include after cmocka's headers. */
#pragma once

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* "result.rows.0.conv": names of members and numbers of items, 1-63 bytes each. Lent; NULL: there is no such thing. */
static inline const json_t *member_at(const json_t *object, const char *path)
{
        char name[64];

        while (object && *path) {
                size_t len = strcspn(path, ".");
                assert_in_range(len, 1, sizeof(name) - 1);
                memcpy(name, path, len);
                name[len] = '\0';
                object = json_is_array(object) ? json_array_get(object, (size_t)atoi(name))
                                               : json_object_get(object, name);
                path += len + (path[len] == '.');
        }
        return object;
}
