using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>
/// Networks of one architecture: how their weights are recognised, what to call them, and how they are built where they can be.
/// </summary>
/// <remarks>
/// A family is one folder: this class marked with <see cref="NetworkAttribute"/>, the network, its configuration. Nothing else knows it.
/// Most derive from <see cref="NetworkFamily{TConfig}"/>.
/// </remarks>
public abstract class NetworkFamily
{
    /// <summary>The family's name.</summary>
    public string Kind =>
        GetType().GetCustomAttribute<NetworkAttribute>()?.Kind
        ?? throw new InvalidOperationException($"{GetType().FullName} is not marked with [Network(\"...\")].");

    /// <summary>A noun with its article that follows "The file holds", for example <c>an ADM UNet (guided-diffusion)</c>.</summary>
    public abstract string Description { get; }

    /// <summary>Published names of weights; where one of them is found, a network of this family may begin.</summary>
    public abstract IReadOnlyList<string> Landmarks { get; }

    /// <summary>
    /// Families are asked in descending order: 0, 1 for one whose names another family's contain, 2 for a whole that holds other families.
    /// </summary>
    public virtual int Precedence => 0;

    /// <summary>What a network predicts unless a card says otherwise; null: it is no prior of restoration.</summary>
    public virtual Prediction? Prediction => null;

    /// <summary>Looks for a network of this family in a file, below whatever prefix; averaged (EMA) weights are preferred.</summary>
    /// <param name="shapes">Names and shapes of all weights of the file.</param>
    /// <returns>The constructor arguments that are shown and what precedes the published names; null when there is none.</returns>
    public virtual (JsonObject Config, string Prefix)? Find(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        IReadOnlyList<string> prefixes = WeightPrefix.Candidates(shapes.Keys, Landmarks);
        foreach (string prefix in prefixes.OrderByDescending(WeightPrefix.IsAverage).ThenBy(prefix => prefix.Length))
            if (Recognize(new ShapeTable(shapes, prefix)) is { } config)
                return (config, prefix);
        return null;
    }

    /// <summary>Recognises a network by names and shapes.</summary>
    /// <param name="shapes">All weights below a place where a landmark was found.</param>
    /// <returns>The constructor arguments that names and shapes show; null when it is of another family.</returns>
    public abstract JsonObject? Recognize(ShapeTable shapes);

    /// <summary>Whether a network with these constructor arguments has the names and shapes that show those.</summary>
    /// <param name="config">All arguments of a known network.</param>
    /// <param name="shown">What <see cref="Recognize"/> found.</param>
    public virtual bool HasLayout(JsonObject config, JsonObject shown) =>
        shown.All(argument => JsonNode.DeepEquals(Plain(argument.Value), Plain(config[argument.Key])));

    /// <summary>Completes what names and shapes show with what is usual.</summary>
    /// <param name="shown">What <see cref="Recognize"/> found.</param>
    /// <returns>All constructor arguments and a sentence's part that says what was assumed, or null where nothing had to be.</returns>
    public virtual (JsonObject Config, string? Assumed) Complete(JsonObject shown) => (shown, null);

    /// <summary>
    /// Weights under the names that networks here have, where published files name them otherwise too, and without those that no network
    /// here reads.
    /// </summary>
    /// <param name="weights">Weights without what precedes the published names; borrowed, and must outlive the result.</param>
    public virtual ICheckpoint Named(ICheckpoint weights) => weights;

    /// <summary>What is known about a network in a file: what the file or others beside it tell, completed with what is usual.</summary>
    /// <param name="file">The file; borrowed.</param>
    /// <param name="found">What <see cref="Find"/> found in it.</param>
    /// <exception cref="CheckpointException">What the files tell is of a network that is not supported.</exception>
    public virtual NetworkFacts Describe(ICheckpoint file, RecognizedNetwork found)
    {
        (JsonObject config, string? assumed) = Complete(found.Config);
        return new NetworkFacts(config) { Assumed = assumed };
    }

    /// <summary>Builds a network without weights.</summary>
    /// <param name="config">Constructor arguments.</param>
    /// <param name="policy">How it computes; null: float32 without fused paths.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="CheckpointException">The arguments are impossible, or the family has no network here.</exception>
    public virtual Network Create(JsonObject config, ComputePolicy? policy) =>
        throw new CheckpointException($"There is no network here for {Description} (\"{Kind}\")");

    /// <summary>Numbers by value: 4 and 4.0 are the same multiplier.</summary>
    internal static JsonNode? Plain(JsonNode? node) => node is null ? null : JsonNode.Parse(node.ToJsonString());
}

/// <summary>A family whose networks can be built.</summary>
/// <typeparam name="TConfig">Constructor arguments.</typeparam>
public abstract class NetworkFamily<TConfig> : NetworkFamily
    where TConfig : class
{
    /// <summary>The description of the constructor arguments' keys.</summary>
    public abstract ConfigKeys<TConfig> Keys { get; }

    /// <summary>Recognises a network by names and shapes.</summary>
    /// <returns>Constructor arguments; those that are not shown have their default. Null when it is of another family.</returns>
    protected abstract TConfig? ByShapes(ShapeTable shapes);

    /// <summary>Builds a network without weights.</summary>
    /// <exception cref="ArgumentException">The arguments are impossible.</exception>
    protected abstract Network Create(TConfig config, ComputePolicy? policy);

    /// <summary>Puts what is usual in place of the arguments that names and shapes do not show.</summary>
    /// <returns>The arguments, and what was assumed, to follow "assumed are"; null where nothing had to be.</returns>
    protected virtual (TConfig Config, string? Assumed) Complete(TConfig shown) => (shown, null);

    /// <inheritdoc/>
    public sealed override JsonObject? Recognize(ShapeTable shapes) =>
        ByShapes(shapes) is { } config ? Keys.Write(config, onlyShown: true) : null;

    /// <inheritdoc/>
    public sealed override bool HasLayout(JsonObject config, JsonObject shown) =>
        JsonNode.DeepEquals(Plain(Keys.Write(Keys.Read(config), onlyShown: true)), Plain(shown));

    /// <inheritdoc/>
    public sealed override (JsonObject Config, string? Assumed) Complete(JsonObject shown)
    {
        (TConfig config, string? assumed) = Complete(Keys.Read(shown));
        return (Keys.Write(config), assumed);
    }

    /// <inheritdoc/>
    public sealed override Network Create(JsonObject config, ComputePolicy? policy)
    {
        TConfig arguments = Keys.Read(config);
        try
        {
            return Create(arguments, policy);
        }
        catch (ArgumentException impossible)
        {
            throw Keys.Refuse(impossible.Message);
        }
    }
}
