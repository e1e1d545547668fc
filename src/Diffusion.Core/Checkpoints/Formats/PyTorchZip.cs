using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>
/// PyTorch's zip format (since 1.6): <c>NAME/data.pkl</c> describes tensors whose bytes are the entries <c>NAME/data/KEY</c>.
/// </summary>
internal static class PyTorchZip
{
    private const int MaxPickle = 1 << 25;

    /// <summary>Opens such a file; takes ownership of <paramref name="file"/> if it succeeds.</summary>
    public static PyTorchCheckpoint Open(CheckpointFile file)
    {
        ZipDirectory archive = ZipDirectory.Read(file);
        string root = FindRoot(archive, file.Path);
        if (archive.Members.TryGetValue(root + "byteorder", out ZipMember? order) && !order.ReadAll(64).AsSpan().SequenceEqual("little"u8))
            throw new CheckpointException("The weights are big-endian", file.Path, "Save them on a little-endian machine");
        byte[] pickle = archive.Members[root + "data.pkl"].ReadAll(MaxPickle);
        PickleStream stream = new(new MemoryStream(pickle), file.Path);
        object? contents = PickleReader.Read(stream);
        Dictionary<string, PickleTensor> tensors = TensorTree.Flatten(contents, stream);
        Dictionary<string, IStorageBytes> storages = [];
        foreach ((string name, PickleTensor tensor) in tensors)
            storages[tensor.Storage.Key] = FindStorage(archive, root, tensor.Storage, name, file.Path);
        return new PyTorchCheckpoint(file, "pytorch-zip", tensors, storages, TensorTree.Facts(contents));
    }

    private static string FindRoot(ZipDirectory archive, string path)
    {
        string[] pickles =
        [
            .. archive.Members.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal) && name.Count(c => c == '/') == 1),
        ];
        if (pickles.Length > 1)
            throw new CheckpointException("The archive holds two data.pkl", path, "It was tampered with; fetch it again");
        if (pickles.Length == 0)
        {
            bool isNumPy = archive.Members.Keys.Any(name => name.EndsWith(".npy", StringComparison.Ordinal));
            throw new CheckpointException(
                "This is not a checkpoint but a zip archive without data.pkl",
                path,
                isNumPy ? "It holds NumPy arrays" : "Unpack it if the checkpoint is inside"
            );
        }
        string root = pickles[0][..^"data.pkl".Length];
        if (archive.Members.Keys.FirstOrDefault(name => !name.StartsWith(root, StringComparison.Ordinal)) is { } stray)
            throw new CheckpointException(
                $"Archive entry \"{Printable.Shorten(stray)}\" lies outside the folder {Printable.Shorten(root)}",
                path,
                "The file was tampered with; fetch it again"
            );
        if (archive.Members.ContainsKey(root + "constants.pkl"))
            throw new CheckpointException(
                "This is a TorchScript program, not a state dict",
                path,
                "Export its state_dict() with torch.save"
            );
        return root;
    }

    private static ZipMember FindStorage(ZipDirectory archive, string root, PickleStorage storage, string tensor, string path)
    {
        const string Remedy = "The file is incomplete or was tampered with; fetch it again";
        string what = $"torage {Printable.Shorten(storage.Key)} of tensor \"{Printable.Shorten(tensor)}\"";
        if (!archive.Members.TryGetValue($"{root}data/{storage.Key}", out ZipMember? member))
            throw new CheckpointException($"Missing s{what}", path, Remedy);
        if (member.Size != storage.Size)
            throw new CheckpointException($"S{what} has {member.Size} bytes in the archive but {storage.Size} are declared", path, Remedy);
        return member;
    }
}
