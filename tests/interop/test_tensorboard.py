"""TensorBoard reads our events, the HPARAMS tab our options, PyYAML our hparams.yaml; we read theirs."""
import unittest

import tools

tools.need("tensorboard", "yaml", "torch")
import numpy as np
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.plugins.hparams.list_session_groups import Handler as ListSessionGroups
from torch.utils.tensorboard import SummaryWriter


class TensorBoard(tools.TestCase):
    def setUp(self):
        super().setUp()
        code, _, error = tools.run("interop_events", "write", self.folder)
        self.assertEqual(code, 0, error)
        self.events = EventAccumulator(str(self.folder), size_guidance={"scalars": 0})
        self.events.Reload()

    def test_scalars(self):
        self.assertEqual(set(self.events.Tags()["scalars"]), {"train_loss_step", "val_acc_epoch"})
        losses = self.events.Scalars("train_loss_step")
        self.assertEqual([e.step for e in losses], [50 * i + 49 for i in range(100)])
        self.assertEqual([e.value for e in losses], [float(np.float32(1 / (i + 1))) for i in range(100)])
        self.assertEqual(self.events.Scalars("val_acc_epoch")[0].value, 0.75)
        self.assertEqual(self.events.file_version, 2.0)

    def test_hyper_parameters(self):
        found = self.events.PluginTagToContent("hparams")
        experiment = hparams.parse_experiment_plugin_data(found[hparams.EXPERIMENT_TAG])
        self.assertEqual([m.name.tag for m in experiment.metric_infos], ["val_acc_epoch", "val_loss_epoch"])
        session = hparams.parse_session_start_info_plugin_data(found[hparams.SESSION_START_INFO_TAG])
        values = {k: getattr(v, v.WhichOneof("kind")) for k, v in session.hparams.items()}
        self.assertEqual(values, {
            "model": "jsc-toy", "learning_rate": 1e-5, "batch_size": 256.0, "to_debug": False,
            "load_name": "None", "trainer_precision": "32", "note": "café: \"two\"\nlines",
            "betas": "[0.9, 0.999]", "nested/depth": 2.0})
        self.assertEqual({i.name for i in experiment.hparam_infos}, set(values))
        end = hparams.parse_session_end_info_plugin_data(found[hparams.SESSION_END_INFO_TAG])
        self.assertEqual(end.status, 1)
        self.assertGreaterEqual(end.end_time_secs, session.start_time_secs)
        self.assertGreater(session.start_time_secs, 1.6e9)

    def test_the_tab_shows_what_was_measured(self):
        """What the HPARAMS tab asks its own server for: the last value of each metric that is logged."""
        multiplexer = EventMultiplexer().AddRun(str(self.folder), "run")
        multiplexer.Reload()
        provider = MultiplexerDataProvider(multiplexer, str(self.folder))
        context = Context(TBContext(data_provider=provider))
        request = api_pb2.ListSessionGroupsRequest(
            allowed_statuses=[api_pb2.STATUS_SUCCESS], start_index=0, slice_size=10)
        for tag in ("val_acc_epoch", "val_loss_epoch"):
            request.col_params.add(metric=api_pb2.MetricName(tag=tag))
        experiment = context.experiment_from_metadata(
            RequestContext(), "", True, context.hparams_metadata(RequestContext(), ""), [])
        shown = ListSessionGroups(
            request_context=RequestContext(), backend_context=context, experiment_id="", request=request).run()
        self.assertEqual({m.name.tag for m in experiment.metric_infos}, {"val_acc_epoch", "val_loss_epoch"})
        (group,) = shown.session_groups
        self.assertEqual({m.name.tag: (m.value, m.training_step) for m in group.metric_values},
                         {"val_acc_epoch": (0.75, 5000)})

    def test_yaml(self):
        with open(self.folder / "hparams.yaml", encoding="utf-8") as file:
            self.assertEqual(yaml.safe_load(file), {
                "model": "jsc-toy", "learning_rate": 1e-5, "batch_size": 256, "to_debug": False,
                "load_name": None, "trainer_precision": "32", "note": "café: \"two\"\nlines",
                "betas": [0.9, 0.999], "nested": {"depth": 2}})

    def test_theirs(self):
        with SummaryWriter(self.folder / "theirs") as writer:
            for step in range(20):
                writer.add_scalar("loss", step / 7, step * 1000)
            writer.add_hparams({"lr": 0.1}, {"acc": 0.5}, run_name=".")
            writer.add_text("note", "no scalar", 1)
        lines = []
        for path in sorted((self.folder / "theirs").glob("events*")):
            code, out, error = tools.run("interop_events", "read", path)
            self.assertEqual(code, 0, error)
            lines += out.splitlines()
        wanted = [f"{s * 1000} loss {np.float32(s / 7):.9g}" for s in range(20)]
        self.assertEqual([line for line in lines if " loss " in line], wanted)
        self.assertIn("0 acc 0.5", lines)


if __name__ == "__main__":
    unittest.main()
