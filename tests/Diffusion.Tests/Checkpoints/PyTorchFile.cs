using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Diffusion.Tests.Checkpoints;

/// <summary>Files in the formats of <c>torch.save</c>, for tests of their readers.</summary>
internal static class PyTorchFile
{
    private static readonly Dictionary<ScalarType, string> Storages = new()
    {
        [ScalarType.Float32] = "FloatStorage",
        [ScalarType.Float64] = "DoubleStorage",
        [ScalarType.Float16] = "HalfStorage",
        [ScalarType.BFloat16] = "BFloat16Storage",
        [ScalarType.Int64] = "LongStorage",
        [ScalarType.Int32] = "IntStorage",
        [ScalarType.Int16] = "ShortStorage",
        [ScalarType.Int8] = "CharStorage",
        [ScalarType.Byte] = "ByteStorage",
        [ScalarType.Bool] = "BoolStorage",
    };

    public static readonly Global RebuildV2 = new("torch._utils", "_rebuild_tensor_v2");

    /// <summary>A reference to a storage.</summary>
    public static Persistent Storage(string key, long count, string type = "FloatStorage", bool legacy = false) =>
        legacy
            ? new("storage", new Global("torch", type), key, "cpu", count, null)
            : new("storage", new Global("torch", type), key, "cpu", count);

    /// <summary>A tensor over a storage.</summary>
    public static Call View(object storage, long offset, long[] shape, long[] strides) =>
        new(RebuildV2, storage, offset, Tuple(shape), Tuple(strides), false, new Call(new Global("collections", "OrderedDict")));

    /// <summary>A float32 vector over its own storage.</summary>
    public static Call Vector(string key, long count, bool legacy = false) => View(Storage(key, count, legacy: legacy), 0, [count], [1]);

    /// <summary>Bytes of so many float32 numbers 0, 1, 2, ...</summary>
    public static byte[] Floats(int count) =>
        MemoryMarshal.AsBytes<float>(Enumerable.Range(0, count).Select(i => (float)i).ToArray()).ToArray();

    /// <summary>The entries of a zip file, to be changed before they are written.</summary>
    public static List<ZipPart> Parts(object? root, params (string Key, byte[] Bytes)[] storages) =>
        [
            new("archive/data.pkl", PickleBuilder.Dump(root)),
            .. storages.Select(storage => new ZipPart($"archive/data/{storage.Key}", storage.Bytes)),
            new("archive/version", "3\n"u8.ToArray()),
        ];

    /// <summary>A zip file.</summary>
    public static byte[] Zip(object? root, params (string Key, byte[] Bytes)[] storages) => ZipBuilder.Build(Parts(root, storages));

    /// <summary>A legacy file.</summary>
    public static byte[] Legacy(object? root, params (string Key, long Count, byte[] Bytes)[] storages)
    {
        MemoryStream file = new();
        file.Write(PickleBuilder.Dump(BigInteger.Parse("1950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
        file.Write(PickleBuilder.Dump(1001L));
        file.Write(PickleBuilder.Dump(new Entries(("protocol_version", 1001), ("little_endian", true))));
        file.Write(PickleBuilder.Dump(root));
        file.Write(PickleBuilder.Dump(storages.Select(storage => (object?)storage.Key).ToList()));
        foreach ((_, long count, byte[] bytes) in storages)
        {
            file.Write(BitConverter.GetBytes(count));
            file.Write(bytes);
        }
        return file.ToArray();
    }

    /// <summary>A zip file of whole tensors, as <c>torch.save(state_dict)</c> writes it.</summary>
    /// <param name="tensors">Tensors by name.</param>
    /// <param name="beside">What else lies in the dictionary.</param>
    public static byte[] Zip(IReadOnlyDictionary<string, Tensor> tensors, params (object? Key, object? Value)[] beside)
    {
        (object? Key, object? Value)[] entries =
        [
            .. tensors.Select(
                (pair, i) =>
                    (
                        (object?)pair.Key,
                        (object?)View(
                            Storage($"{i}", pair.Value.numel(), Storages[pair.Value.dtype]),
                            0,
                            pair.Value.shape,
                            pair.Value.stride()
                        )
                    )
            ),
        ];
        return Zip(
            new Entries([.. beside, .. entries]) { Ordered = true },
            [.. tensors.Values.Select((tensor, i) => ($"{i}", tensor.bytes.ToArray()))]
        );
    }

    private static object?[] Tuple(long[] numbers) => [.. numbers.Select(number => (object?)number)];
}
