// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.fleet.Fleets;
import io.muster.web.device.FleetErrors;
import jakarta.inject.Inject;
import jakarta.inject.Provider;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.Serial;
import java.util.List;

/** The error page of the container, for requests that never reach a resource. A direct request for it gets 404. */
@WebServlet("/container-problem")
public class ContainerProblem extends HttpServlet {

    @Serial
    private static final long serialVersionUID = 1;

    @Inject
    transient Provider<Fleets> fleets;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Object reported = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE);
        int status = reported instanceof Integer code && code >= 400 ? code : 404;
        ProblemType type = Problems.type(status);
        String instance = Problems.instance();
        if (status == 500) {
            Problems.containerFailed(instance, request.getAttribute(RequestDispatcher.ERROR_EXCEPTION));
        }
        byte[] body = shaped(Problems.body(type, status, null, List.of(), instance), request);
        response.setStatus(status);
        response.setContentType(Problem.MEDIA_TYPE);
        response.setHeader("Cache-Control", "no-store");
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
    }

    private byte[] shaped(byte[] problem, HttpServletRequest request) {
        String root = request.getContextPath();
        if (!(request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI) instanceof String uri)
                || !uri.startsWith(root)) {
            return problem;
        }
        try {
            return FleetErrors.shaped(problem, uri.substring(root.length()), fleets.get());
        } catch (IllegalStateException e) {
            // The registry does not run.
            return problem;
        }
    }
}
