# One small image: opsctl and the stack's programs, compiled once, run by nobody in particular.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/opsctl
COPY requirements.runtime.lock ./
RUN pip --python /opt/opsctl/bin/python install --no-cache-dir --compile --require-hashes \
    --requirement requirements.runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY opsctl ./opsctl
RUN pip --python /opt/opsctl/bin/python install --no-cache-dir --compile --no-deps .

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home opsctl
COPY --from=build /opt/opsctl /opt/opsctl
ENV PATH=/opt/opsctl/bin:$PATH PYTHONUNBUFFERED=1
# By number, so that a cluster which forbids root can see that this is not root.
USER 10001
WORKDIR /home/opsctl
ENTRYPOINT ["opsctl"]
CMD ["--help"]
