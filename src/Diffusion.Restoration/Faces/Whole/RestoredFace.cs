using System.Text.Json.Nodes;

namespace Diffusion.Faces;

/// <summary>One restored face.</summary>
/// <param name="Found">Where it was found; null for a picture that is an aligned face.</param>
/// <param name="Before">[1,C,S,S] float32 on [0,1], aligned. Owned.</param>
/// <param name="After">[1,C,S,S] float32 on [0,1], restored. Owned.</param>
/// <param name="Method">What restored it.</param>
/// <param name="Seconds">Time of the restoration.</param>
public sealed record RestoredFace(Face? Found, Tensor Before, Tensor After, string Method, double Seconds) : IDisposable
{
    /// <summary>How far the restored face is from the one that was found, see <see cref="IdentityDistance"/>.</summary>
    public required double Identity { get; init; }

    /// <summary>How far the face that was found is from the original; null where there is none.</summary>
    public double? IdentityBefore { get; init; }

    /// <summary>How far the restored face is from the original; null where there is none.</summary>
    public double? IdentityAfter { get; init; }

    /// <summary>For records and <c>--json</c>; pixels of the photograph as it was read.</summary>
    public JsonObject ToJson()
    {
        JsonObject json = new();
        if (Found is { } face)
        {
            json["box"] = Numbers(face.Detection.Left, face.Detection.Top, face.Detection.Right, face.Detection.Bottom);
            json["score"] = Math.Round(face.Score, 4);
            json["presence"] = Math.Round(face.Landmarks.Presence, 4);
            json["rotation"] = Math.Round(face.Rotation * 180 / Math.PI, 1);
            json["points"] = new JsonArray([.. face.Landmarks.Five.Select(point => Numbers(point.X, point.Y))]);
            json["landmarks"] = new JsonArray([.. face.Landmarks.Points.Select(point => Numbers(point.X, point.Y, point.Z))]);
        }
        json["method"] = Method;
        json["seconds"] = Math.Round(Seconds, 3);
        json["identity_distance"] = Math.Round(Identity, 4);
        json["identity_distance_before"] = IdentityBefore is { } before ? Math.Round(before, 4) : null;
        json["identity_distance_after"] = IdentityAfter is { } after ? Math.Round(after, 4) : null;
        return json;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Before.Dispose();
        After.Dispose();
    }

    private static JsonArray Numbers(params double[] values) => new([.. values.Select(value => (JsonNode)Math.Round(value, 2))]);
}
