using System.Text;
using System.Text.Json.Nodes;
using Diffusion.Interactive;
using Diffusion.Jupyter.Protocol;

namespace Diffusion.Jupyter;

/// <summary>Sends what a cell shows and prints to the front ends.</summary>
internal sealed class KernelHost(Channels channels) : INotebookHost
{
    /// <summary>The request of the cell that runs; null: none does.</summary>
    public Message? Cell { get; set; }

    /// <inheritdoc/>
    public CancellationToken Cancellation { get; set; }

    /// <inheritdoc/>
    public void Show(View view) => Publish("display_data", Data(view, null));

    /// <inheritdoc/>
    public Action<View> ShowLive(View view)
    {
        string id = Guid.NewGuid().ToString("N");
        Publish("display_data", Data(view, id));
        return live => Publish("update_display_data", Data(live, id));
    }

    /// <summary>Tells the front ends about the cell that runs, or about no cell.</summary>
    public void Publish(string type, JsonObject content) =>
        channels.Publish(Cell?.Publication(type, content) ?? new Message(type, content) { Identities = [Encoding.UTF8.GetBytes(type)] });

    private static JsonObject Data(View view, string? id) =>
        new()
        {
            ["data"] = view.ToBundle(),
            ["metadata"] = new JsonObject(),
            ["transient"] = id is null ? new JsonObject() : new JsonObject { ["display_id"] = id },
        };
}
