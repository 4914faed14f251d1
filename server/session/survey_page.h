/* SPDX-License-Identifier: Apache-2.0 */
/* Survey page: GET, HEAD and POST of /s/<link>, for browsers of customers. Every answer is a page; a link that is not
 * ours touches no store. Network thread only. */
#pragma once

#include "edge/edge.h"

struct net;

bool survey_page_owns(struct span path);
/* The edge's on_request and on_request_ready for such a path. */
enum edge_body survey_page_request(struct net *net, const struct edge_request *request);
void survey_page_ready(struct net *net, struct edge_request *request);
