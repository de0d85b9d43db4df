package io.muster.web;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.Serial;
import java.util.List;

/** The error page of the container, for what never reaches a resource. Asked for directly, it is not there. */
@WebServlet("/container-problem")
public class ContainerProblem extends HttpServlet {

    @Serial
    private static final long serialVersionUID = 1;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Object reported = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE);
        int status = reported instanceof Integer code && code >= 400 ? code : 404;
        ProblemType type = Problems.type(status);
        byte[] body = Problems.body(type, status, null, List.of(), Problems.instance());
        response.setStatus(status);
        response.setContentType(Problem.MEDIA_TYPE);
        response.setHeader("Cache-Control", "no-store");
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
    }
}
