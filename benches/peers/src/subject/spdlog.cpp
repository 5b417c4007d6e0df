// C++ spdlog, asynchronous, one thread, queue of 10 000, blocks when it is full; called from spdlog.rs.
//
// spdlog formats on the caller and has no JSON of its own: the pattern writes the record's own keys, the
// message writes the fields, and nothing is escaped.

#include <cstdint>
#include <memory>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <string>
#include <vector>

namespace {

std::shared_ptr<spdlog::logger> logger;

struct Item {
    std::string sku, name;
    uint32_t count;
    uint64_t price_cents;
    bool in_stock;
};

struct Order {
    uint64_t id;
    std::string customer, mail, street, city;
    std::vector<Item> items;
    double discount;
    bool is_paid;
};

Order order() {
    Order made{81, "Ann Example", "ann@example.org", "1 High Street", "Springfield", {}, 2.5, true};
    for (uint32_t at = 0; at < 8; at++) {
        made.items.push_back({fmt::format("SKU-{:06}", at), "a thing with a name", at, 1999, at % 2 == 0});
    }
    return made;
}

} // namespace

// As Rust's derived `Debug` writes it, but for the quotes, which would have to be escaped.
template <> struct fmt::formatter<Item> : fmt::formatter<std::string_view> {
    template <typename Context> auto format(const Item &item, Context &context) const {
        return fmt::format_to(context.out(),
                              "Item {{ sku: '{}', name: '{}', count: {}, price_cents: {}, in_stock: {} }}",
                              item.sku, item.name, item.count, item.price_cents, item.in_stock);
    }
};

template <> struct fmt::formatter<Order> : fmt::formatter<std::string_view> {
    template <typename Context> auto format(const Order &order, Context &context) const {
        return fmt::format_to(
            context.out(),
            "Order {{ id: {}, customer: '{}', mail: '{}', street: '{}', city: '{}', items: [{}], "
            "discount: {}, is_paid: {} }}",
            order.id, order.customer, order.mail, order.street, order.city,
            fmt::join(order.items, ", "), order.discount, order.is_paid);
    }
};

extern "C" {

void spdlog_start(const char *path) {
    spdlog::init_thread_pool(10'000, 1);
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, true);
    logger = std::make_shared<spdlog::async_logger>("peers", std::move(sink), spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::block);
    logger->set_pattern(R"({"timestamp":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","logger":"%n","file":"%s",)"
                        R"("line":%#,"thread":%t,%v})",
                        spdlog::pattern_time_type::utc);
}

void spdlog_five_fields(uint64_t number) {
    SPDLOG_LOGGER_INFO(logger,
                       R"("message":"API request handled","user_id":{},"endpoint":"{}","latency_ms":{},)"
                       R"("status":{},"cached":{})",
                       number, "/api/ai/chat", 12.5, 200, true);
}

void spdlog_with_context(uint64_t number) {
    SPDLOG_LOGGER_INFO(logger,
                       R"("message":"API request handled","method":"{}","path":"{}","request_id":{},)"
                       R"("table":"{}","rows":{},"cold":{},)"
                       R"("user_id":{},"endpoint":"{}","latency_ms":{},"status":{},"cached":{})",
                       "GET", "/chat", 77, "orders", 5, false, number, "/api/ai/chat", 12.5, 200, true);
}

void spdlog_debug_value() {
    static const Order value = order();
    SPDLOG_LOGGER_INFO(logger, R"("message":"API request handled","order":"{}")", value);
}

// Called through the logger: the macros leave `debug` out when they are compiled.
void spdlog_disabled(uint64_t number) { logger->debug("{} off", number); }

void spdlog_text(const char *text) {
    SPDLOG_LOGGER_INFO(logger, R"("message":"API request handled","text":"{}")", text);
}

void spdlog_finish() {
    logger.reset();
    spdlog::shutdown();
}

const char *spdlog_version() {
    static const std::string text =
        fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH);
    return text.c_str();
}
}
