using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Faces;

/// <summary>
/// Restores aligned faces in one evaluation of a small network that is trained here (<see cref="FaceUNet"/>): what
/// <c>--model face-small</c> and <c>face --model small</c> call.
/// </summary>
[RestorationMethod("face-small", "Restores aligned faces in one evaluation of a small network with visual tokens")]
public sealed record FaceSmall : IRestorationMethod
{
    /// <summary>The file that ships, in <see cref="FaceModels.Folder"/>.</summary>
    public const string File = "face-small.safetensors";

    // Runtime, libtorch and codecs; fitted to whole runs.
    private const long Base = 400L << 20;

    private FaceUNet? _network;

    /// <summary>A weight file as <c>diffusion train face</c> leaves it; empty: the one that ships.</summary>
    [Setting]
    public string Model { get; init; } = "";

    /// <summary>
    /// Share of the detail finer than the network's faces that is kept where it stands above its own noise, in larger faces.
    /// </summary>
    [Setting(Min = 0, Max = 1)]
    public double Detail { get; init; } = 1;

    /// <summary>Whether the UNet looks at the visual tokens; without them it shows what they are good for.</summary>
    [Setting]
    public bool Tokens { get; init; } = true;

    internal FaceUNet Network =>
        _network ?? throw new InvalidOperationException("The method is not open yet. A RestorationRunner opens what it is given.");

    /// <summary>Whether the network that ships is installed.</summary>
    public static bool IsInstalled => PriorFiles.Folders.Any(folder => System.IO.File.Exists(Path.Combine(folder, FaceModels.Name, File)));

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">The weights are missing or of another family.</exception>
    public void Open(ComputePolicy policy) => _network = Load(Model, policy);

    /// <summary>Loads a network; the caller disposes it.</summary>
    /// <param name="path">A weight file; empty: the one that ships.</param>
    /// <param name="policy">How it computes.</param>
    /// <exception cref="CheckpointException">The weights are missing or of another family.</exception>
    public static FaceUNet Load(string path, ComputePolicy policy)
    {
        if (path.Length == 0)
            path = Path.Combine(FaceModels.Folder, File);
        if (!System.IO.File.Exists(path))
            throw new CheckpointException(
                "There is no small face model",
                path,
                "Train one with diffusion train face and name its file with --model-set model=FILE, or take --model zero-shot"
            );
        using ICheckpoint file = Checkpoint.Open(path);
        RecognizedNetwork? found = NetworkCatalog.BuiltIn.Recognize(file);
        if (found?.Family is not FaceUNetFamily family)
            throw new CheckpointException(
                found is null ? "The file is of no network that is known here" : $"The file holds {found.Family.Description}",
                path,
                "Give a file that diffusion train face left"
            );
        FaceUNet network = (FaceUNet)family.Create(CardOf(path) ?? family.Complete(found.Config).Config, policy);
        NetworkWeights.Fill(network, found.Weights(file));
        return network;
    }

    // What shapes do not show stands in the card: NAME.json, or card.json as a training leaves it.
    private static JsonObject? CardOf(string path)
    {
        string[] cards = [Path.ChangeExtension(path, ".json"), Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "card.json")];
        foreach (string card in cards.Where(System.IO.File.Exists))
            try
            {
                if (JsonNode.Parse(System.IO.File.ReadAllText(card)) is JsonObject said && (string?)said["file"] == Path.GetFileName(path))
                    return said["config"] as JsonObject;
            }
            catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
            {
                throw new CheckpointException("The card beside the weights is no JSON", card, "Take the card that belongs to them", wrong);
            }
        return null;
    }

    /// <inheritdoc/>
    /// <exception cref="ImageException">It is no square picture.</exception>
    public string KindOf(Measurement measurement)
    {
        ImageShape shape = measurement.Shape
            ?? throw new ImageException("The measurement is no picture", measurement.Name, "Give pictures of aligned faces");
        return shape.Height == shape.Width
            ? shape.ToString()
            : throw new ImageException(
                $"An aligned face is square, and this picture has {shape.Width}x{shape.Height} pixels",
                measurement.Name,
                "Use diffusion face, which finds faces and aligns them"
            );
    }

    /// <inheritdoc/>
    public IRestoration Begin(IReadOnlyList<Measurement> batch) => new Run(this, batch);

    /// <inheritdoc/>
    public void Dispose() => _network?.Dispose();

    private sealed class Run(FaceSmall method, IReadOnlyList<Measurement> batch) : IRestoration
    {
        /// <summary>Smaller faces take the side of the network's.</summary>
        public ImageShape Output
        {
            get
            {
                int side = Math.Max(batch[0].Shape!.Value.Width, method.Network.Config.Side);
                return new ImageShape(3, side, side);
            }
        }

        public long Bytes(int height, int width, int count, int? tile)
        {
            NetworkMemory memory = NetworkMemory.Of(method.Network);
            int side = method.Network.Config.Side;
            const int Copies = 12;
            return Base
                + memory.WeightBytes
                + (long)(count * memory.BytesPerPixel * side * side)
                + Copies * 4L * 3 * count * height * width;
        }

        public IReadOnlyList<MethodChoice> Choose(PictureArea? area) => [.. batch.Select(_ => new MethodChoice("face-small", 1))];

        Tensor IRestoration.Run(PictureArea? area, MethodContext context)
        {
            using ComputeScope scope = new();
            context.Cancellation.ThrowIfCancellationRequested();
            Tensor faces = Imaging.Color.ToRgb(torch.cat([.. batch.Select(one => one.Y)])).to(method.Network.Policy.Device);
            Tensor restored = FaceScale.Restored(method.Network, faces, method.Detail, method.Tokens);
            context.Progress?.Invoke(new(1, 1, 1, 0));
            return scope.Return(restored);
        }

        public void Dispose() { }
    }
}
