// The door to libtorch: operators are looked up by name in its dispatcher and called boxed, with
// JavaScript values converted by following the operator's own schema. No operator is bound here.
//
// Besides `resolve` and `call` there is only what the dispatcher does not offer: tensors from and to
// typed arrays, gradients, generators, threads. Every entry is wrapped in `guarded`, so that no C++
// exception leaves the addon, and takes no argument at its word: what is not of the kind it needs is
// an error with the code "engine". State is per JavaScript environment; the addon works in many workers.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <ATen/ops/empty.h>
#include <c10/core/Allocator.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>
#include <dlfcn.h>
#include <napi.h>
#include <algorithm>
#include <atomic>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace {
std::atomic<int64_t> liveTensors{0};
// Handles that JavaScript holds, of all threads. Other addons make externals too; theirs are told from
// ours here before anything is read behind the pointer. Never destroyed: finalizers may run late.
struct HandleSet {
  std::mutex mutex;
  std::unordered_set<const void*> known;
  void add(const void* handle) { std::lock_guard<std::mutex> lock(mutex); known.insert(handle); }
  void remove(const void* handle) { std::lock_guard<std::mutex> lock(mutex); known.erase(handle); }
  bool has(const void* handle) { std::lock_guard<std::mutex> lock(mutex); return known.count(handle) != 0; }
};
HandleSet& handles() { static auto* set = new HandleSet(); return *set; }
// What a JavaScript handle points to. `kind` tells a tensor from a generator: a wrong handle is an
// error, not a crash.
enum class Kind : uint32_t { Tensor = 0x494c5431, Generator = 0x494c4731 };
struct Handle {
  Kind kind;
  at::Tensor tensor;
  at::Generator generator;
  int64_t hintedBytes = 0;  // told to V8 through AdjustExternalMemory

  explicit Handle(at::Tensor t) : kind(Kind::Tensor), tensor(std::move(t)) { liveTensors++; handles().add(this); }
  explicit Handle(at::Generator g) : kind(Kind::Generator), generator(std::move(g)) { handles().add(this); }
  ~Handle() { handles().remove(this); clear(); }
  void clear() {
    if (kind == Kind::Tensor && tensor.defined()) liveTensors--;
    tensor = at::Tensor();
    generator = at::Generator();
  }
};

// Tensors on their way from one JavaScript thread to another, by number.
struct Waiting { std::mutex mutex; std::unordered_map<uint32_t, at::Tensor> tensors; uint32_t last = 0; };
Waiting& waiting() { static auto* one = new Waiting(); return *one; }

// Operators that this environment has resolved, by id.
struct Environment {
  std::vector<c10::OperatorHandle> operators;
};

[[noreturn]] void fail(Napi::Env env, const std::string& message) {
  auto error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, "engine"));
  throw error;
}

// Runs `body`; any C++ exception becomes a JavaScript error that carries libtorch's text.
template <typename Body>
Napi::Value guarded(const Napi::CallbackInfo& info, Body body) {
  Napi::Env env = info.Env();
  try {
    return body(env);
  } catch (const Napi::Error&) {
    throw;
  } catch (const c10::Error& error) {
    fail(env, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    fail(env, "out of memory");
  } catch (const std::exception& error) {
    fail(env, error.what());
  } catch (...) {
    fail(env, "unknown C++ exception");
  }
}

// ---- memory -------------------------------------------------------------------------------------

uint64_t numberAfter(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    if (!key.empty() && word != key) continue;
    if (!key.empty()) file >> word;
    return word.empty() || !std::isdigit(static_cast<unsigned char>(word[0])) ? 0 : std::stoull(word);
  }
  return 0;
}

// Bytes that can still be had without another program or this one being ended: what the machine has
// left, or what the container has left where that is less. 0: this system does not say.
uint64_t availableBytes() {
  const uint64_t machine =
      1024 * (numberAfter("/proc/meminfo", "MemAvailable:") + numberAfter("/proc/meminfo", "SwapFree:"));
  const uint64_t limit = numberAfter("/sys/fs/cgroup/memory.max", "");
  if (limit == 0) return machine;
  const uint64_t used = numberAfter("/sys/fs/cgroup/memory.current", "");
  const uint64_t cached = numberAfter("/sys/fs/cgroup/memory.stat", "file");  // given back when needed
  const uint64_t own = used > cached ? used - cached : 0;
  return std::min(machine, limit > own ? limit - own : 0);
}

// Linux promises more memory than there is and ends the process that takes it. So a single tensor
// larger than what is left is refused where it is asked for. `const` and not, both without `override`:
// libtorch 2.3 changed which of them is virtual.
struct BoundedAllocator final : public c10::Allocator {
  static constexpr size_t WORTH_A_LOOK = size_t{256} << 20;
  c10::Allocator* const base;
  explicit BoundedAllocator(c10::Allocator* b) : base(b) {}
  c10::DataPtr allocate(size_t bytes) {
    if (bytes >= WORTH_A_LOOK) {
      const uint64_t left = availableBytes();
      TORCH_CHECK(left == 0 || bytes <= left, "can't allocate memory: a tensor of ", bytes >> 20,
                  " MiB was asked for, ", left >> 20, " MiB are left");
    }
    return base->allocate(bytes);
  }
  c10::DataPtr allocate(size_t bytes) const { return const_cast<BoundedAllocator*>(this)->allocate(bytes); }
  c10::DeleterFnPtr raw_deleter() const override { return base->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
};

void boundMemory() {
  static std::once_flag once;
  std::call_once(once, [] { c10::SetAllocator(c10::DeviceType::CPU, new BoundedAllocator(c10::GetAllocator(c10::DeviceType::CPU))); });
}

// ---- handles ------------------------------------------------------------------------------------

void finalize(Napi::Env env, Handle* handle) {
  try {
    if (handle->hintedBytes != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -handle->hintedBytes);
  } catch (const Napi::Error&) {
    // The environment is ending: there is no collector left to tell.
  }
  delete handle;
}

// A thread that is being ended takes no new values: then the handle is freed here.
Napi::Value external(Napi::Env env, std::unique_ptr<Handle> handle) {
  auto value = Napi::External<Handle>::New(env, handle.get(), finalize);
  handle.release();
  return value;
}

Napi::Value wrap(Napi::Env env, at::Tensor tensor) {
  if (!tensor.defined()) return env.Null();
  return external(env, std::make_unique<Handle>(std::move(tensor)));
}

// The handle behind a value, or null where it is none of ours.
Handle* handleBehind(const Napi::Value& value) {
  if (!value.IsExternal()) return nullptr;
  Handle* handle = value.As<Napi::External<Handle>>().Data();
  return handles().has(handle) ? handle : nullptr;
}

Handle& handleOf(const Napi::Value& value, Kind kind, const char* what) {
  Handle* handle = handleBehind(value);
  if (handle == nullptr || handle->kind != kind)
    fail(value.Env(), std::string("expected a ") + what + " handle");
  if (kind == Kind::Tensor ? !handle->tensor.defined() : !handle->generator.defined())
    fail(value.Env(), std::string("the ") + what + " was disposed; it cannot be used any more");
  return *handle;
}

at::Tensor& tensorOf(const Napi::Value& value) {
  return handleOf(value, Kind::Tensor, "tensor").tensor;
}

// ---- JavaScript values to IValues ---------------------------------------------------------------

bool isWhole(double value) { return std::trunc(value) == value && std::fabs(value) <= 9007199254740992.0; }

int64_t toInt(const Napi::Value& value, const std::string& where) {
  if (value.IsBigInt()) {
    bool lossless = false;
    int64_t number = value.As<Napi::BigInt>().Int64Value(&lossless);
    if (!lossless) fail(value.Env(), where + ": expected a 64-bit integer, got a larger BigInt");
    return number;
  }
  if (!value.IsNumber()) fail(value.Env(), where + ": expected an integer, got another type");
  double number = value.As<Napi::Number>().DoubleValue();
  if (!isWhole(number))
    fail(value.Env(), where + ": expected an integer, got " + std::to_string(number));
  return static_cast<int64_t>(number);
}

bool toBool(const Napi::Value& value, const std::string& where) {
  if (!value.IsBoolean()) fail(value.Env(), where + ": expected a boolean");
  return value.As<Napi::Boolean>().Value();
}

std::string toText(const Napi::Value& value, const std::string& where) {
  if (!value.IsString()) fail(value.Env(), where + ": expected a string");
  return value.As<Napi::String>().Utf8Value();
}

// libtorch looks element types up in a table without checking the place.
at::ScalarType toScalarType(const Napi::Value& value, const std::string& where) {
  const int64_t code = toInt(value, where);
  switch (code) {
    case 0: case 3: case 4: case 5: case 6: case 7: case 11: case 15:  // those of src/tensor/dtype.ts
      return static_cast<at::ScalarType>(code);
    default:
      fail(value.Env(), where + ": expected a supported element type, got code " + std::to_string(code));
  }
}

// No list of an operator is longer: a length far above it is a mistake that would take all memory.
constexpr uint32_t LONGEST_LIST = 1 << 20;

Napi::Array toArray(const Napi::Value& value, const std::string& where) {
  if (!value.IsArray()) fail(value.Env(), where + ": expected an array");
  auto array = value.As<Napi::Array>();
  if (array.Length() > LONGEST_LIST)
    fail(value.Env(), where + ": expected at most " + std::to_string(LONGEST_LIST) + " elements, got " +
                          std::to_string(array.Length()));
  return array;
}

c10::IValue toIValue(const Napi::Value& value, const c10::TypePtr& type, const std::string& where) {
  using c10::TypeKind;
  Napi::Env env = value.Env();
  switch (type->kind()) {
    case TypeKind::OptionalType:
      if (value.IsNull() || value.IsUndefined()) return c10::IValue();
      return toIValue(value, type->castRaw<c10::OptionalType>()->getElementType(), where);
    case TypeKind::TensorType:
      if (!value.IsExternal()) fail(env, where + ": expected a tensor");
      return tensorOf(value);  // a copy of the reference: JavaScript that runs meanwhile may dispose the handle
    case TypeKind::NumberType:
      if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
      if (value.IsNumber() && !isWhole(value.As<Napi::Number>().DoubleValue()))
        return value.As<Napi::Number>().DoubleValue();
      return toInt(value, where);
    case TypeKind::FloatType:
      if (!value.IsNumber()) fail(env, where + ": expected a number");
      return value.As<Napi::Number>().DoubleValue();
    case TypeKind::BoolType:
      return toBool(value, where);
    case TypeKind::StringType:
      return toText(value, where);
    case TypeKind::DeviceObjType:
      if (!value.IsString()) fail(env, where + ": expected a device name");
      return c10::Device(value.As<Napi::String>().Utf8Value());
    case TypeKind::GeneratorType:
      return handleOf(value, Kind::Generator, "generator").generator;
    case TypeKind::ListType: {
      auto array = toArray(value, where);
      const uint32_t length = array.Length();
      const c10::TypePtr element = type->castRaw<c10::ListType>()->getElementType();
      c10::impl::GenericList list(element);
      list.reserve(length);
      for (uint32_t i = 0; i < length; i++) {
        list.push_back(toIValue(array.Get(i), element, where + "[" + std::to_string(i) + "]"));
      }
      return list;
    }
    default:
      // Data types, layouts and memory formats are integers in schemas of every version.
      if (type->isSubtypeOf(*c10::IntType::get()) || value.IsNumber()) return toInt(value, where);
      fail(env, where + ": arguments of type " + type->str() + " are not supported");
  }
}

// ---- IValues to JavaScript values ---------------------------------------------------------------

Napi::Value fromIValue(Napi::Env env, const c10::IValue& value) {
  if (value.isNone()) return env.Null();
  if (value.isTensor()) return wrap(env, value.toTensor());
  if (value.isInt()) return Napi::Number::New(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return Napi::Number::New(env, value.toDouble());
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isScalar()) return Napi::Number::New(env, value.toScalar().toDouble());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isList()) {
    auto list = value.toList();
    auto array = Napi::Array::New(env, list.size());
    for (size_t i = 0; i < list.size(); i++) {
      array.Set(static_cast<uint32_t>(i), fromIValue(env, static_cast<c10::IValue>(list.get(i))));
    }
    return array;
  }
  fail(env, "a result of type " + value.tagKind() + " is not supported");
}

// ---- operators ----------------------------------------------------------------------------------

// resolve(name, overload) → { id, schema, arguments: string[] }, or null where libtorch lacks it.
Napi::Value resolve(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    const auto name = toText(info[0], "resolve(name)");
    const auto overload = toText(info[1], "resolve(overload)");
    auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!found) return env.Null();
    auto* state = env.GetInstanceData<Environment>();
    auto result = Napi::Object::New(env);
    const auto& schema = found->schema();
    auto names = Napi::Array::New(env, schema.arguments().size());
    for (size_t i = 0; i < schema.arguments().size(); i++) {
      names.Set(static_cast<uint32_t>(i), schema.arguments()[i].name());
    }
    result.Set("id", static_cast<double>(state->operators.size()));
    result.Set("schema", c10::toString(schema));
    result.Set("arguments", names);
    state->operators.push_back(*found);
    return result;
  });
}

// An argument's value. `real_type` says which of the integers are codes of something.
c10::IValue toArgument(const Napi::Value& value, const c10::Argument& argument) {
  c10::TypePtr real = argument.real_type();
  if (auto optional = real->cast<c10::OptionalType>()) real = optional->getElementType();
  if (value.IsNull() || value.IsUndefined()) return toIValue(value, argument.type(), argument.name());
  if (real->kind() == c10::TypeKind::ScalarTypeType)
    return static_cast<int64_t>(toScalarType(value, argument.name()));
  // These too are looked up in tables. Only strided tensors are used here, in any order of axes.
  const bool isLayout = real->kind() == c10::TypeKind::LayoutType;
  if (isLayout || real->kind() == c10::TypeKind::MemoryFormatType) {
    const int64_t code = toInt(value, argument.name());
    if (code < 0 || code > (isLayout ? 0 : 3))
      fail(value.Env(), argument.name() + ": expected a supported code, got " + std::to_string(code));
  }
  return toIValue(value, argument.type(), argument.name());
}

// call(id, values): values in schema order; undefined takes the schema's default.
Napi::Value call(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    auto* state = env.GetInstanceData<Environment>();
    const int64_t id = toInt(info[0], "call(id)");
    if (id < 0 || id >= static_cast<int64_t>(state->operators.size())) fail(env, "unknown operator id");
    auto values = toArray(info[1], "call(values)");
    const auto op = state->operators[id];  // a copy: reading values may run JavaScript that resolves another
    const auto& arguments = op.schema().arguments();
    const uint32_t length = values.Length();
    if (length > arguments.size()) {
      fail(env, "takes " + std::to_string(arguments.size()) + " arguments, got " + std::to_string(length));
    }
    torch::jit::Stack stack;
    stack.reserve(arguments.size());
    for (size_t i = 0; i < arguments.size(); i++) {
      const auto& argument = arguments[i];
      Napi::Value value = i < length ? values.Get(static_cast<uint32_t>(i)) : env.Undefined();
      if (value.IsUndefined() && argument.default_value()) {
        stack.push_back(*argument.default_value());
      } else {
        stack.push_back(toArgument(value, argument));
      }
    }
    op.callBoxed(stack);
    if (stack.empty()) return env.Undefined();
    if (stack.size() == 1) return fromIValue(env, stack[0]);
    auto results = Napi::Array::New(env, stack.size());
    for (size_t i = 0; i < stack.size(); i++) results.Set(static_cast<uint32_t>(i), fromIValue(env, stack[i]));
    return results;
  });
}

// ---- tensors ------------------------------------------------------------------------------------

// describe(tensor) → [dtype code, device, requires gradient, ...shape]
Napi::Value describe(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    const auto& tensor = tensorOf(info[0]);
    auto result = Napi::Array::New(env, 3 + tensor.dim());
    result.Set(0u, static_cast<double>(static_cast<int>(tensor.scalar_type())));
    result.Set(1u, tensor.device().str());
    result.Set(2u, Napi::Boolean::New(env, tensor.requires_grad()));
    for (int64_t i = 0; i < tensor.dim(); i++) {
      result.Set(static_cast<uint32_t>(3 + i), static_cast<double>(tensor.size(i)));
    }
    return result;
  });
}

// fromBytes(view, shape, dtype code): copies.
Napi::Value fromBytes(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    if (!info[0].IsTypedArray()) fail(env, "fromBytes(view): expected a typed array");
    auto view = info[0].As<Napi::TypedArray>();
    std::vector<int64_t> shape;
    auto dims = toArray(info[1], "fromBytes(shape)");
    for (uint32_t i = 0; i < dims.Length(); i++) shape.push_back(toInt(dims.Get(i), "fromBytes(shape)"));
    auto tensor = at::empty(shape, at::TensorOptions().dtype(toScalarType(info[2], "fromBytes(dtype)")));
    if (tensor.nbytes() != view.ByteLength()) {
      fail(env, "fromBytes: the shape needs " + std::to_string(tensor.nbytes()) + " bytes, got " +
                    std::to_string(view.ByteLength()));
    }
    void* bytes = nullptr;  // of shared buffers too, which the wrapper's ArrayBuffer() refuses
    if (napi_get_typedarray_info(env, info[0], nullptr, nullptr, &bytes, nullptr, nullptr) != napi_ok)
      fail(env, "fromBytes(view): expected a readable typed array");
    if (tensor.nbytes() > 0) std::memcpy(tensor.data_ptr(), bytes, tensor.nbytes());
    return wrap(env, tensor);
  });
}

// toBytes(tensor) → ArrayBuffer with the elements in row-major order: copies.
Napi::Value toBytes(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    auto tensor = tensorOf(info[0]).detach().to(at::kCPU).contiguous();
    auto buffer = Napi::ArrayBuffer::New(env, tensor.nbytes());
    if (tensor.nbytes() > 0) std::memcpy(buffer.Data(), tensor.data_ptr(), tensor.nbytes());
    return buffer;
  });
}

// dispose(handle): frees now what the collector would free later.
Napi::Value dispose(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    Handle* handle = handleBehind(info[0]);
    if (handle == nullptr) fail(env, "dispose: expected a handle");
    if (handle->hintedBytes != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -handle->hintedBytes);
    handle->hintedBytes = 0;
    handle->clear();
    return env.Undefined();
  });
}

// hint(tensor): tells V8 how much memory hangs on a handle that no scope will free.
Napi::Value hint(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    auto& handle = handleOf(info[0], Kind::Tensor, "tensor");
    if (handle.hintedBytes == 0 && !handle.tensor.is_cuda()) {
      handle.hintedBytes = static_cast<int64_t>(handle.tensor.nbytes());
      Napi::MemoryManagement::AdjustExternalMemory(env, handle.hintedBytes);
    }
    return env.Undefined();
  });
}

// share(tensor) → a number for which `adopt`, in any thread, gives a handle of the same elements, once.
Napi::Value share(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    auto tensor = tensorOf(info[0]).detach();
    std::lock_guard<std::mutex> lock(waiting().mutex);
    if (waiting().tensors.size() > LONGEST_LIST) fail(env, "share: too many tensors that nobody adopts");
    while (!waiting().tensors.emplace(++waiting().last, tensor).second) continue;
    return Napi::Number::New(env, waiting().last);
  });
}

Napi::Value adopt(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    const int64_t number = toInt(info[0], "adopt(number)");
    std::lock_guard<std::mutex> lock(waiting().mutex);
    auto found = waiting().tensors.extract(number == (number & UINT32_MAX) ? static_cast<uint32_t>(number) : 0);
    if (found.empty()) fail(env, "adopt(number): expected a shared tensor's that was not adopted yet");
    return wrap(env, std::move(found.mapped()));
  });
}

// ---- gradients ----------------------------------------------------------------------------------

Napi::Value backward(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    const bool hasGradient = !info[1].IsUndefined() && !info[1].IsNull();
    torch::autograd::backward({tensorOf(info[0])}, {hasGradient ? tensorOf(info[1]) : at::Tensor()});
    return env.Undefined();
  });
}

Napi::Value gradient(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value { return wrap(env, tensorOf(info[0]).grad()); });
}

Napi::Value setGradient(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    auto& tensor = tensorOf(info[0]);
    const bool hasGradient = !info[1].IsUndefined() && !info[1].IsNull();
    const auto gradient = hasGradient ? tensorOf(info[1]) : at::Tensor();
    // backward() adds into the gradient and takes it to be like its tensor.
    if (hasGradient && (gradient.sizes() != tensor.sizes() || gradient.scalar_type() != tensor.scalar_type() ||
                        gradient.device() != tensor.device() || gradient.is_same(tensor)))
      fail(env, "setGradient(gradient): expected another tensor of the same shape, type and device");
    tensor.mutable_grad() = gradient;
    return env.Undefined();
  });
}

Napi::Value setRequiresGradient(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    tensorOf(info[0]).set_requires_grad(toBool(info[1], "setRequiresGradient(enabled)"));
    return env.Undefined();
  });
}

// setGradMode(enabled) → what it was before. Per thread.
Napi::Value setGradMode(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    const bool enabled = toBool(info[0], "setGradMode(enabled)");
    const bool before = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(enabled);
    return Napi::Boolean::New(env, before);
  });
}

// ---- generators, threads, libraries -------------------------------------------------------------

// generator(device, seed): a generator of its own, apart from libtorch's global ones.
Napi::Value generator(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    auto made = at::globalContext().defaultGenerator(c10::Device(toText(info[0], "generator(device)"))).clone();
    made.set_current_seed(static_cast<uint64_t>(toInt(info[1], "generator(seed)")));
    return external(env, std::make_unique<Handle>(std::move(made)));
  });
}

Napi::Value threads(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    if (!info[0].IsUndefined()) {
      // OpenMP ends the process when it cannot start as many threads as it was told.
      const int64_t count = toInt(info[0], "threads(count)");
      if (count < 1 || count > 1024) fail(env, "threads(count): expected 1 to 1024, got " + std::to_string(count));
      at::set_num_threads(static_cast<int>(count));
    }
    return Napi::Number::New(env, at::get_num_threads());
  });
}

Napi::Value live(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(liveTensors.load()));
}

// load(path): makes a further library of libtorch (the CUDA kernels) register its operators.
Napi::Value load(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value {
    if (dlopen(toText(info[0], "load(path)").c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) fail(env, dlerror());
    return env.Undefined();
  });
}

Napi::Value hasCuda(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env env) -> Napi::Value { return Napi::Boolean::New(env, at::hasCUDA()); });
}

// quit(code): ends the process without waiting for threads that are inside an operator, nor running anything else.
Napi::Value quit(const Napi::CallbackInfo& info) {
  return guarded(info, [&](Napi::Env) -> Napi::Value { std::_Exit(static_cast<int>(toInt(info[0], "quit(code)"))); });
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment());
  boundMemory();
  exports.Set("torchVersion", Napi::String::New(env, TORCH_VERSION));
  exports.Set("resolve", Napi::Function::New(env, resolve));
  exports.Set("call", Napi::Function::New(env, call));
  exports.Set("describe", Napi::Function::New(env, describe));
  exports.Set("fromBytes", Napi::Function::New(env, fromBytes));
  exports.Set("toBytes", Napi::Function::New(env, toBytes));
  exports.Set("dispose", Napi::Function::New(env, dispose));
  exports.Set("hint", Napi::Function::New(env, hint));
  exports.Set("share", Napi::Function::New(env, share));
  exports.Set("adopt", Napi::Function::New(env, adopt));
  exports.Set("backward", Napi::Function::New(env, backward));
  exports.Set("gradient", Napi::Function::New(env, gradient));
  exports.Set("setGradient", Napi::Function::New(env, setGradient));
  exports.Set("setRequiresGradient", Napi::Function::New(env, setRequiresGradient));
  exports.Set("setGradMode", Napi::Function::New(env, setGradMode));
  exports.Set("generator", Napi::Function::New(env, generator));
  exports.Set("threads", Napi::Function::New(env, threads));
  exports.Set("live", Napi::Function::New(env, live));
  exports.Set("load", Napi::Function::New(env, load));
  exports.Set("quit", Napi::Function::New(env, quit));
  exports.Set("hasCuda", Napi::Function::New(env, hasCuda));
  return exports;
}

}  // namespace

NODE_API_MODULE(ilora, initialize)
