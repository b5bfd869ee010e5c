"""Package metadata. No logic lives here; tools are configured in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="warehouse14",
    version="0.1.0",
    description="A private Python package index whose projects are shared by the people who own them",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    package_dir={"": "src"},
    packages=find_packages("src"),
    package_data={
        "warehouse14": [
            "py.typed",
            "web/templates/*.jinja2",
            "web/static/*",
            "web/static/vendor/*",
            "adapters/sql/migrations/*.mako",
        ]
    },
    install_requires=[
        "alembic>=1.13",
        "authlib>=1.9",
        "cattrs>=24.1",
        "joserfc>=1.8",
        "multipart>=1.2",
        "packaging>=24.2",
        "plaster>=1.1",
        "plaster-pastedeploy>=1.0",
        "pyramid>=2.0",
        "pyramid-jinja2>=2.10",
        "requests>=2.32",
        "readme-renderer[md]>=44.0",
        "sqlalchemy>=2.0.30",
        "tqdm>=4.66",
        "transaction>=4.0",
        "waitress>=3.0.1",
        "zope.sqlalchemy>=3.1",
    ],
    extras_require={
        "aws": ["boto3>=1.34"],
        "lambda": ["apig-wsgi>=2.18", "boto3>=1.34"],
        "mariadb": ["pymysql>=1.1"],
        "metrics": ["prometheus-client>=0.19"],
        "postgresql": ["psycopg[binary]>=3.2"],
    },
    entry_points={
        "console_scripts": ["warehouse14 = warehouse14.cli:main"],
        "paste.app_factory": ["main = warehouse14.web:main"],
        "paste.server_runner": ["main = warehouse14.web.serving:serve_paste"],
        "warehouse14.metadata": [
            "memory = warehouse14.adapters.memory:units",
            "dynamodb = warehouse14.adapters.dynamodb:units",
            "sql = warehouse14.adapters.sql:units",
        ],
        "warehouse14.sign_in": ["oidc = warehouse14.adapters.oidc:sign_in"],
        "warehouse14.old_sites": [
            "elasticpypi = warehouse14.adapters.oldsites:elasticpypi",
            "warehouse14 = warehouse14.adapters.oldsites:warehouse14",
        ],
        "warehouse14.files": [
            "memory = warehouse14.adapters.memory:file_store",
            "filesystem = warehouse14.adapters.filesystem:file_store",
            "s3 = warehouse14.adapters.s3:file_store",
        ],
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Framework :: Pyramid",
        "Intended Audience :: System Administrators",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: System :: Software Distribution",
    ],
)
