using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>A network that was found in a file.</summary>
/// <param name="Family">Its family.</param>
/// <param name="Config">The constructor arguments that names and shapes show.</param>
/// <param name="Prefix">What precedes the published names, for example <c>state_dict.</c>.</param>
public sealed record RecognizedNetwork(NetworkFamily Family, JsonObject Config, string Prefix)
{
    /// <summary>Kind and configuration.</summary>
    public Architecture Architecture => new(Family.Kind, Config);

    /// <summary>Its weights under the names that the network here has; borrows the file.</summary>
    public ICheckpoint Weights(ICheckpoint file) => Family.Named(new CheckpointView(file, Prefix));
}

/// <summary>The network families of some assemblies. Immutable; made by one pass over their exported types.</summary>
public sealed class NetworkCatalog
{
    private static readonly Lazy<NetworkCatalog> Shipped = new(() => new NetworkCatalog([typeof(NetworkCatalog).Assembly]));
    private readonly Dictionary<string, NetworkFamily> _families = new(StringComparer.Ordinal);

    private NetworkCatalog(IEnumerable<Assembly> assemblies)
    {
        foreach (Type type in assemblies.Distinct().SelectMany(assembly => assembly.GetExportedTypes()))
        {
            if (type.GetCustomAttribute<NetworkAttribute>() is not { } attribute)
                continue;
            if (type.IsAbstract || type.GetConstructor(Type.EmptyTypes)?.Invoke(null) is not NetworkFamily family)
                throw new ArgumentException(
                    $"{type.FullName} is marked as network \"{attribute.Kind}\" but is no concrete NetworkFamily with a parameterless "
                        + "constructor."
                );
            if (_families.TryGetValue(attribute.Kind, out NetworkFamily? other))
                throw new ArgumentException($"Two networks are named \"{attribute.Kind}\": {Place(other.GetType())} and {Place(type)}.");
            _families.Add(attribute.Kind, family);
        }
        Families =
        [
            .. _families.Values.OrderByDescending(family => family.Precedence).ThenBy(family => family.Kind, StringComparer.Ordinal),
        ];
    }

    /// <summary>The families that ship.</summary>
    public static NetworkCatalog BuiltIn => Shipped.Value;

    /// <summary>The families that ship and those of further assemblies.</summary>
    /// <exception cref="ArgumentException">Two families have the same name (the message names both), or a marked class is none.</exception>
    public static NetworkCatalog With(params IEnumerable<Assembly> plugins) => new([typeof(NetworkCatalog).Assembly, .. plugins]);

    /// <summary>All families, in the order in which they are asked whether weights are theirs.</summary>
    public IReadOnlyList<NetworkFamily> Families { get; }

    /// <summary>What priors may be, for errors: the families whose networks estimate pictures.</summary>
    public string Priors =>
        string.Join(" or ", Families.Where(family => family.Prediction is not null).Select(family => family.Description));

    /// <summary>The family of a kind.</summary>
    /// <exception cref="CheckpointException">There is none; the message names the nearest.</exception>
    public NetworkFamily Find(string kind) =>
        _families.GetValueOrDefault(kind)
        ?? throw new CheckpointException($"There is no network of kind \"{kind}\"", remedy: NearestName.Advice(kind, [.. _families.Keys]));

    /// <summary>Recognises the network in a checkpoint, below whatever prefix it lies; averaged (EMA) weights are preferred.</summary>
    /// <returns>null when it is of no known family.</returns>
    public RecognizedNetwork? Recognize(ICheckpoint checkpoint)
    {
        Dictionary<string, IReadOnlyList<long>> shapes = checkpoint.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.Shape);
        foreach (NetworkFamily family in Families)
            if (family.Find(shapes) is var (config, prefix))
                return new RecognizedNetwork(family, config, prefix);
        return null;
    }

    private static string Place(Type type) => $"{type.FullName} ({type.Assembly.GetName().Name})";
}
