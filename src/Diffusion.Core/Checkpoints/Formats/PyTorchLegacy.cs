using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>
/// PyTorch's format before 1.6: pickles (magic number, protocol, system, the object, storage keys), then each storage as a 64-bit count and
/// its bytes.
/// </summary>
internal static class PyTorchLegacy
{
    private const string Remedy = "The file is truncated or damaged; fetch it again";
    private static readonly BigInteger Magic = BigInteger.Parse(
        "1950a86a20f9469cfc6c",
        NumberStyles.HexNumber,
        CultureInfo.InvariantCulture
    );

    /// <summary>Opens such a file; takes ownership of <paramref name="file"/> if it succeeds.</summary>
    public static PyTorchCheckpoint Open(CheckpointFile file)
    {
        PickleStream stream = new(new FileSlice(file, 0, file.Length), file.Path);
        if (PickleReader.Read(stream, legacy: true) is not BigInteger magic || magic != Magic)
            throw new CheckpointException(
                "This is not a checkpoint but a pickle that torch.save did not write",
                file.Path,
                "Save the weights with torch.save or as safetensors"
            );
        if (PickleReader.Read(stream, legacy: true) is not 1001L)
            throw new CheckpointException("The version of PyTorch's legacy format is unknown", file.Path);
        if (PickleReader.Read(stream, legacy: true) is PickleDict system && system.Get("little_endian") is false)
            throw new CheckpointException("The weights are big-endian", file.Path, "Save them on a little-endian machine");
        object? contents = PickleReader.Read(stream, legacy: true);
        Dictionary<string, PickleTensor> tensors = TensorTree.Flatten(contents, stream);
        if (PickleReader.Read(stream, legacy: true) is not List<object?> keys)
            throw stream.Malformed("The list of storages is missing");
        return new PyTorchCheckpoint(
            file,
            "pytorch-legacy",
            tensors,
            FindStorages(file, stream, tensors, keys),
            TensorTree.Facts(contents)
        );
    }

    private static Dictionary<string, IStorageBytes> FindStorages(
        CheckpointFile file,
        PickleStream stream,
        Dictionary<string, PickleTensor> tensors,
        List<object?> keys
    )
    {
        Dictionary<string, PickleStorage> declared = [];
        foreach (PickleTensor tensor in tensors.Values)
            if (!declared.TryAdd(tensor.Storage.Key, tensor.Storage) && declared[tensor.Storage.Key] != tensor.Storage)
                throw stream.Malformed($"Storage {Printable.Shorten(tensor.Storage.Key)} is declared in two ways");
        Dictionary<string, IStorageBytes> found = [];
        long position = stream.Position;
        foreach (object? item in keys)
        {
            if (item is not string key || !declared.TryGetValue(key, out PickleStorage? storage))
                throw stream.Malformed("The list of storages names one that no tensor has");
            if (position > file.Length - 8)
                throw new CheckpointException($"Truncated storage {Printable.Shorten(key)}", file.Path, Remedy);
            long count = MemoryMarshal.Read<long>(file.ReadBytes(position, 8));
            if (count != storage.Count)
                throw new CheckpointException(
                    $"Storage {Printable.Shorten(key)} has {count} elements but {storage.Count} are declared",
                    file.Path,
                    Remedy
                );
            position += 8;
            if (storage.Size > file.Length - position)
                throw new CheckpointException(
                    $"Truncated storage {Printable.Shorten(key)}: {storage.Size} bytes are declared, {file.Length - position} are left",
                    file.Path,
                    Remedy
                );
            if (!found.TryAdd(key, new FileRange(file, position)))
                throw stream.Malformed($"Storage {Printable.Shorten(key)} is listed twice");
            position += storage.Size;
        }
        if (declared.Keys.FirstOrDefault(key => !found.ContainsKey(key)) is { } missing)
            throw new CheckpointException($"Missing storage {Printable.Shorten(missing)}", file.Path, Remedy);
        return found;
    }
}
