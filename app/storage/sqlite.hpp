// The little of SQLite that is used, with its errors as exceptions.
#pragma once

#include <memory>
#include <sqlite3.h>
#include <stdexcept>
#include <string>

namespace troupe::storage {

class sqlite_error : public std::runtime_error {
public:
  sqlite_error(int code, const std::string& text) : std::runtime_error(text), code_(code & 0xff) {}
  /// The file is no database, or not a whole one.
  bool is_damage() const noexcept { return code_ == SQLITE_CORRUPT || code_ == SQLITE_NOTADB; }

private:
  int code_;
};

/// A prepared statement. Confined to one thread, as its connection.
class statement {
public:
  statement(sqlite3* db, const std::string& sql) {
    sqlite3_stmt* s = nullptr;
    if (const auto rc = sqlite3_prepare_v2(db, sql.c_str(), -1, &s, nullptr); rc != SQLITE_OK)
      throw sqlite_error(rc, sqlite3_errmsg(db));
    statement_.reset(s);
  }
  /// Whether there is a row.
  bool step() {
    const auto rc = sqlite3_step(statement_.get());
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
      throw sqlite_error(rc, sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
    return rc == SQLITE_ROW;
  }
  void reset() { sqlite3_reset(statement_.get()); }
  void finish() { statement_.reset(); }
  void bind(int place, const std::string& text) {
    sqlite3_bind_text64(statement_.get(), place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  std::string column(int i) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), i));
    return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), i))) : "";
  }

private:
  struct finalizer {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, finalizer> statement_;
};

/// A connection. Confined to one thread at a time.
class sqlite {
public:
  explicit sqlite(const std::string& file) {
    sqlite3* db = nullptr;
    const auto rc =
        sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    db_.reset(db);
    if (rc != SQLITE_OK)
      throw sqlite_error(rc, db ? sqlite3_errmsg(db) : "out of memory");
    sqlite3_busy_timeout(db, 5000);
  }
  void run(const std::string& sql) {
    char* why = nullptr;
    if (const auto rc = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, &why); rc != SQLITE_OK) {
      const std::string text = why ? why : sqlite3_errstr(rc);
      sqlite3_free(why);
      throw sqlite_error(rc, text);
    }
  }
  /// The system lets nobody write the file.
  bool is_read_only() const { return sqlite3_db_readonly(db_.get(), "main") == 1; }
  void try_run(const std::string& sql) noexcept { sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr); }
  statement prepare(const std::string& sql) { return {db_.get(), sql}; }
  /// The first column of the first row.
  std::string text(const std::string& sql) {
    auto s = prepare(sql);
    return s.step() ? s.column(0) : "";
  }

private:
  struct closer {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, closer> db_;
};

} // namespace troupe::storage
