using System.Text.Json;
using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Networks.MediaPipeFace;

namespace Diffusion.Tests.Parity;

/// <summary>Family <c>mediapipe-face</c>: MediaPipe's detectors and 468 landmarks.</summary>
public sealed class MediaPipeFaceParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("mediapipe-face");

    [Theory, MemberData(nameof(Cases))]
    public void Detectors_and_landmarks_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        Tensor picture = FaceWeights.Picture(reference.Input("image"));
        switch (config.OneOf("kind", "detector", "landmarks", "pipeline"))
        {
            case "detector":
                Detector(reference, config, picture);
                break;
            case "landmarks":
                Landmarks(reference, config, picture);
                break;
            default:
                Pipeline(reference, config, picture);
                break;
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static void Detector(ParityCase reference, ConfigNode config, Tensor picture)
    {
        using FaceDetector detector = Detector(config);
        Affine view = detector.View(picture);
        Tensor input = detector.Input(picture, view);
        reference.AssertOutput("input", Rows(input, config, "input_rows"));
        Tensor[] raw = detector.Evaluate(input, Compare(reference, config));
        reference.AssertOutput("raw.boxes", raw[0]);
        reference.AssertOutput("raw.scores", raw[1]);
        int size = detector.Settings.InputSize;
        Affine toUnits = Affine.Similarity(1.0 / size, 0, 0, 0);
        reference.AssertOutput(
            "anchors",
            FaceWeights.Table([.. detector.Anchors(size, size).Select(a => new[] { a.X / size, a.Y / size })], 2)
        );
        foreach (JsonElement number in config.Raw("score_thresholds").EnumerateArray())
        {
            string name = number.GetRawText();
            double threshold = number.GetDouble();
            IReadOnlyList<DetectedFace> candidates = detector.Candidates(raw, input, threshold)[0];
            reference.AssertOutput(
                $"candidates.{name}",
                FaceWeights.Table(
                    [.. candidates.Select(c => c.Through(toUnits)).Select(c => Row(c, c.Score, c.Left, c.Top, c.Right, c.Bottom))],
                    17
                )
            );
            Tensor detections = Table(detector.Detect(picture, threshold));
            reference.AssertOutput($"detections.{name}", detections);
            if (reference.Outputs.Contains($"mediapipe_js.scores.{name}"))
                reference.AssertOutput($"mediapipe_js.scores.{name}", detections[torch.TensorIndex.Colon, 0]);
            if (reference.Outputs.Contains($"mediapipe_js.boxes.{name}"))
                reference.AssertOutput($"mediapipe_js.boxes.{name}", detections[torch.TensorIndex.Colon, torch.TensorIndex.Slice(1)]);
        }
    }

    private static void Landmarks(ParityCase reference, ConfigNode config, Tensor picture)
    {
        using FaceLandmarker landmarker = Landmarker(config);
        double[] row = reference.Input("detection").to(ScalarType.Float64).data<double>().ToArray();
        DetectedFace detection = new(
            row[0],
            row[1],
            row[2],
            row[1] + row[3],
            row[2] + row[4],
            [.. Enumerable.Range(0, 6).Select(k => (row[5 + 2 * k], row[6 + 2 * k]))]
        );
        FaceSquare square = FaceSquare.Around(detection);
        reference.AssertOutput("roi", FaceWeights.Table([Square(square)], 5)[0]);
        Tensor crop = landmarker.Crop(picture, square);
        reference.AssertOutput("crop", Rows(crop, config, "crop_rows"));
        Tensor[] raw = landmarker.Evaluate(crop, Compare(reference, config));
        reference.AssertOutput("raw.landmarks", raw[0].flatten());
        reference.AssertOutput("raw.presence", raw[1].flatten());
        FaceLandmarks first = landmarker.Read(square, raw[0].data<float>().ToArray(), raw[1].item<float>());
        reference.AssertOutput("presence", torch.tensor(new[] { first.Presence }));
        reference.AssertOutput("landmarks", Table(first));
        if (reference.Outputs.Contains("mediapipe_js.landmarks"))
            reference.AssertOutput("mediapipe_js.landmarks", Table(first));
        FaceSquare again = FaceSquare.Around(first.Points);
        reference.AssertOutput("roi_from_landmarks", FaceWeights.Table([Square(again)], 5)[0]);
        FaceLandmarks second = landmarker.Find(picture, [again])[0];
        reference.AssertOutput("second.landmarks", Table(second));
        reference.AssertOutput("second.presence", torch.tensor(new[] { second.Presence }));
    }

    private static void Pipeline(ParityCase reference, ConfigNode config, Tensor picture)
    {
        using FaceDetector detector = Detector(config);
        using FaceLandmarker landmarker = Landmarker(config);
        IReadOnlyList<DetectedFace> detections = detector.Detect(picture, config.Double("score_threshold"));
        reference.AssertOutput("detections", Table(detections));
        FaceSquare[] squares = [.. detections.Select(FaceSquare.Around)];
        reference.AssertOutput("rois", FaceWeights.Table([.. squares.Select(Square)], 5));
        IReadOnlyList<FaceLandmarks> landmarks = landmarker.Find(picture, squares);
        bool[] kept = [.. landmarks.Select(face => face.Presence > config.Double("presence_threshold"))];
        reference.AssertOutput("presence", torch.tensor(landmarks.Select(face => face.Presence).ToArray()));
        reference.AssertOutput("kept", torch.tensor(kept.Select(keep => keep ? 1L : 0).ToArray()));
        Assert.Equal(config.Int("faces"), kept.Count(keep => keep));
        Tensor all = landmarks.Count == 0 ? torch.zeros(0, 468, 3) : torch.stack([.. landmarks.Select(Table)]);
        reference.AssertOutput("landmarks", all);
        if (reference.Outputs.Contains("mediapipe_js.landmarks"))
            reference.AssertOutput("mediapipe_js.landmarks", all[torch.tensor(kept)]);
    }

    private static FaceDetector Detector(ConfigNode config)
    {
        string name = config.OneOf("network", "face_detection_full_range", "face_detection_short_range");
        int size = config.Int("input_size");
        Assert.Equal(name == "face_detection_full_range" ? 192 : 128, size);
        FaceDetectorSettings settings = new(
            size,
            config.Ints("strides"),
            config.Ints("anchors_per_cell"),
            config.Double("iou_threshold"),
            config.Double("score_clip")
        );
        return new FaceDetector(GraphNetwork.Load(FaceWeights.Folder(config, $"{name}.json"), name), settings);
    }

    private static FaceLandmarker Landmarker(ConfigNode config)
    {
        string name = config.OneOf("landmark_network", "face_landmark");
        FaceLandmarker landmarker = new(GraphNetwork.Load(FaceWeights.Folder(config, $"{name}.json"), name));
        config.Only("landmark_input", landmarker.InputSize);
        config.Only("roi_scale", 1.5);
        config.Only("presence_threshold", 0.5);
        Assert.Equal([0, 1], config.Ints("rotation_keypoints"));
        Assert.Equal([33, 263], config.Ints("rotation_landmarks"));
        return landmarker;
    }

    private static ModuleTrace Compare(ParityCase reference, ConfigNode config) =>
        NetworkCase.Compare(reference, "layer.", config.Strings("layers"), 1);

    private static Tensor Rows(Tensor input, ConfigNode config, string key) =>
        config.Has(key) ? input.index_select(2, torch.tensor(config.Ints(key).Select(row => (long)row).ToArray())) : input;

    private static double[] Row(DetectedFace face, params double[] start) =>
        [.. start, .. face.Points.SelectMany(point => new[] { point.X, point.Y })];

    private static Tensor Table(IReadOnlyList<DetectedFace> faces) =>
        FaceWeights.Table([.. faces.Select(face => Row(face, face.Score, face.Left, face.Top, face.Width, face.Height))], 17);

    private static Tensor Table(FaceLandmarks face) => FaceWeights.Table([.. face.Points.Select(p => new[] { p.X, p.Y, p.Z })], 3);

    private static double[] Square(FaceSquare square) => [square.X, square.Y, square.Side, square.Side, square.Rotation];
}
