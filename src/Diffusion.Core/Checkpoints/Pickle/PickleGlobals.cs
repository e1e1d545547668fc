using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>The names that a pickle may mention and what calling them gives. Nothing is looked up or run: each is a case below.</summary>
internal sealed class PickleGlobals(PickleStream stream)
{
    private static readonly Dictionary<string, ScalarType> Storages = new()
    {
        ["DoubleStorage"] = ScalarType.Float64,
        ["FloatStorage"] = ScalarType.Float32,
        ["HalfStorage"] = ScalarType.Float16,
        ["BFloat16Storage"] = ScalarType.BFloat16,
        ["LongStorage"] = ScalarType.Int64,
        ["IntStorage"] = ScalarType.Int32,
        ["ShortStorage"] = ScalarType.Int16,
        ["CharStorage"] = ScalarType.Int8,
        ["ByteStorage"] = ScalarType.Byte,
        ["BoolStorage"] = ScalarType.Bool,
    };

    private static readonly Dictionary<string, ScalarType> TorchDtypes = new()
    {
        ["float64"] = ScalarType.Float64,
        ["float32"] = ScalarType.Float32,
        ["float16"] = ScalarType.Float16,
        ["bfloat16"] = ScalarType.BFloat16,
        ["int64"] = ScalarType.Int64,
        ["int32"] = ScalarType.Int32,
        ["int16"] = ScalarType.Int16,
        ["int8"] = ScalarType.Int8,
        ["uint8"] = ScalarType.Byte,
        ["bool"] = ScalarType.Bool,
    };

    private static readonly HashSet<string> Known =
    [
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.Counter",
        "builtins.set",
        "__builtin__.set",
        "builtins.frozenset",
        "__builtin__.frozenset",
        "builtins.int",
        "builtins.float",
        "builtins.str",
        "builtins.bool",
        "builtins.list",
        "builtins.dict",
        "builtins.tuple",
        "builtins.complex",
        "__builtin__.complex",
        "__builtin__.int",
        "__builtin__.float",
        "__builtin__.str",
        "__builtin__.bool",
        "__builtin__.list",
        "__builtin__.dict",
        "__builtin__.tuple",
        "__builtin__.unicode",
        "__builtin__.object",
        "builtins.object",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch._tensor._rebuild_from_type_v2",
        "torch.Size",
        "torch.device",
        "torch.Tensor",
        "torch.nn.parameter.Parameter",
        "torch.storage.UntypedStorage",
        "torch.UntypedStorage",
        "torch.serialization._get_layout",
        "numpy.dtype",
        "numpy.ndarray",
        "numpy.core.multiarray.scalar",
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray.scalar",
        "numpy._core.multiarray._reconstruct",
        "_codecs.encode",
        "argparse.Namespace",
        "typing.Any",
        "datetime.datetime",
        "datetime.timedelta",
        "functools.partial",
        "types.SimpleNamespace",
        "copyreg._reconstructor",
        "copy_reg._reconstructor",
    ];

    // Training frameworks leave their settings beside the weights; these classes are named, never made.
    private static readonly string[] InertModules =
    [
        "pytorch_lightning.",
        "lightning.",
        "lightning_fabric.",
        "omegaconf.",
        "torch.optim.",
        "pathlib.",
    ];

    // What runs, loads or imports programs has no place beside weights, not even by name.
    private static readonly HashSet<string> Suspicious =
    [
        "__builtin__",
        "_io",
        "_pickle",
        "asyncio",
        "bdb",
        "builtins",
        "code",
        "codeop",
        "commands",
        "cPickle",
        "ctypes",
        "dill",
        "cloudpickle",
        "ftplib",
        "gc",
        "http",
        "httplib",
        "importlib",
        "inspect",
        "io",
        "marshal",
        "multiprocessing",
        "nt",
        "ntpath",
        "os",
        "pdb",
        "pickle",
        "pip",
        "pkgutil",
        "platform",
        "posix",
        "posixpath",
        "pty",
        "requests",
        "runpy",
        "shutil",
        "signal",
        "site",
        "smtplib",
        "socket",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "timeit",
        "types",
        "urllib",
        "urllib2",
        "webbrowser",
        "zipimport",
    ];

    /// <summary>A name as the pickle spells it: one that may be called, or one that is data and nothing more.</summary>
    /// <exception cref="CheckpointException">Data have no need of it; the message names it.</exception>
    public PickleGlobal Resolve(string module, string name)
    {
        bool callable =
            Known.Contains($"{module}.{name}")
            || (module == "torch" && (Storages.ContainsKey(name) || TorchDtypes.ContainsKey(name)))
            || (!name.Contains('.') && InertModules.Any(prefix => $"{module}.".StartsWith(prefix, StringComparison.Ordinal)));
        PickleGlobal global = new(module, name, callable);
        if (callable)
            return global;
        if (Suspicious.Contains(module.Split('.')[0]))
            throw Refuse(global);
        if (module == "torch" && name.EndsWith("Storage", StringComparison.Ordinal))
            throw new CheckpointException(
                $"Storages of kind {Printable.Shorten(name)} are not supported",
                stream.Path,
                "Convert the weights to a floating-point or integer type"
            );
        return global;
    }

    /// <summary>What a permitted call gives: a tensor, a dictionary, a list, a tuple, or a record of an object that is not made.</summary>
    /// <exception cref="CheckpointException">The call is not permitted (the message names it), or its arguments are wrong.</exception>
    public object? Call(PickleGlobal function, object?[] arguments) =>
        function.ToString() switch
        {
            _ when !function.Callable => throw Refuse(function),
            "torch._utils._rebuild_tensor" => RebuildTensor(function, arguments, 4, 4),
            "torch._utils._rebuild_tensor_v2" => RebuildTensor(function, arguments, 6, 7),
            "torch._utils._rebuild_tensor_v3" => RebuildTensor(function, arguments, 7, 8),
            "torch._utils._rebuild_parameter" => Parameter(function, arguments, 3),
            "torch._utils._rebuild_parameter_with_state" => Parameter(function, arguments, 4),
            "torch._tensor._rebuild_from_type_v2" => arguments is [PickleGlobal inner, PickleGlobal, object?[] innerArguments, _]
            && inner.Module == "torch._utils"
                ? Call(inner, innerArguments)
                : throw WrongArguments(function),
            "torch.Size" => arguments is [object?[] sizes] ? sizes : throw WrongArguments(function),
            "collections.OrderedDict" => Dictionary(function, arguments),
            "collections.defaultdict" => arguments.Length <= 1 ? new PickleDict() : throw WrongArguments(function),
            "collections.Counter" => arguments is [] ? new PickleDict()
            : arguments is [PickleDict counts] ? counts
            : throw WrongArguments(function),
            "builtins.set" or "__builtin__.set" or "builtins.frozenset" or "__builtin__.frozenset" => arguments is [List<object?> items]
                ? items
                : new List<object?>(),
            _ => new PickleRecord(),
        };

    /// <summary>
    /// The storage of a persistent id: ("storage", class, key, location, count), in legacy files with a sixth item for views; or there the
    /// class of ("module", class, file, source).
    /// </summary>
    public object Storage(object? id, bool legacy)
    {
        // Whole modules in legacy files bring the source of their classes, of which the name is enough.
        if (legacy && id is object?[] and ["module", PickleGlobal named, ..])
            return named;
        if (
            id is not object?[] items
            || items.Length != (legacy ? 6 : 5)
            || items is not ["storage", PickleGlobal type, string key, _, long count, ..]
        )
            throw stream.Malformed("A persistent id is not that of a storage");
        if (legacy && items[5] is not null)
            throw new CheckpointException(
                "The file holds views of storages as PyTorch before 0.4 wrote them, which are not supported",
                stream.Path,
                "Save it again with a newer PyTorch"
            );
        ScalarType? dtype =
            Storages.TryGetValue(type.Name, out ScalarType known) ? known
            : type.Name == "UntypedStorage" ? null
            : throw stream.Malformed($"{type} is no storage");
        if (count < 0 || count > long.MaxValue / 16)
            throw stream.Malformed($"A storage claims {count} elements");
        return new PickleStorage(key, dtype, count);
    }

    private PickleTensor RebuildTensor(PickleGlobal function, object?[] arguments, int least, int most)
    {
        if (
            arguments.Length < least
            || arguments.Length > most
            || arguments[0] is not PickleStorage storage
            || arguments[1] is not long offset
            || Numbers(arguments[2]) is not { } shape
            || Numbers(arguments[3]) is not { } strides
        )
            throw WrongArguments(function);
        ScalarType? named =
            least == 7 && arguments[6] is PickleGlobal { Module: "torch" } type && TorchDtypes.TryGetValue(type.Name, out ScalarType known)
                ? known
                : null;
        ScalarType dtype = named ?? storage.Dtype ?? throw WrongArguments(function);
        if (TensorLayout.CheckView(shape, strides, offset, storage.Size / Dtypes.Size(dtype), Dtypes.Size(dtype)) is { } fault)
            throw stream.Malformed($"A tensor {fault}");
        return new PickleTensor(storage, dtype, offset, shape, strides);
    }

    private PickleTensor Parameter(PickleGlobal function, object?[] arguments, int count) =>
        arguments.Length == count && arguments[0] is PickleTensor data ? data : throw WrongArguments(function);

    private PickleDict Dictionary(PickleGlobal function, object?[] arguments)
    {
        PickleDict dictionary = new();
        if (arguments.Length == 0)
            return dictionary;
        if (arguments is not [List<object?> pairs])
            throw WrongArguments(function);
        foreach (object? pair in pairs)
        {
            (object? key, object? value) = pair switch
            {
                object?[] and [var k, var v] => (k, v),
                List<object?> and [var k, var v] => (k, v),
                _ => throw WrongArguments(function),
            };
            dictionary.Set(key, value);
        }
        return dictionary;
    }

    private CheckpointException Refuse(PickleGlobal global) =>
        new(
            $"The pickle refers to \"{Printable.Shorten(global.ToString())}\", which is not allowed: weights need no program code",
            stream.Path,
            "If you trust the file, save only its state dict, or convert it to safetensors"
        );

    private static long[]? Numbers(object? value) =>
        value is object?[] items && items.All(item => item is long) ? [.. items.Select(item => (long)item!)] : null;

    private CheckpointException WrongArguments(PickleGlobal function) => stream.Malformed($"Wrong arguments of {function}");
}
